// mesos/mesos.hpp: where upstream's modules look for Parameters. API messages cross as serialised bytes: a module that looks into
// one compiles mesos/v1/mesos.proto with the protobuf compiler of its own choice.
#ifndef MESOS_MESOS_HPP
#define MESOS_MESOS_HPP

#include <mesos/module.hpp>

#endif
