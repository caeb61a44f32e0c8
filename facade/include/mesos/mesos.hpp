// mesos/mesos.hpp: where upstream's modules look for Parameters. API messages are in mesos/v1/mesos.hpp and the headers beside it,
// which the headers of the roles include.
#ifndef MESOS_MESOS_HPP
#define MESOS_MESOS_HPP

#include <mesos/module.hpp>

#endif
