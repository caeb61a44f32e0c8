// mesos/version.hpp: where upstream's modules look for MESOS_VERSION.
#ifndef MESOS_VERSION_HPP
#define MESOS_VERSION_HPP

#include <mesos/module.h>

#endif
