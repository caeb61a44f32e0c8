// A calculator whose constructor throws.
#include <calculator.hpp>
#include <stdexcept>

MESOS_MODULE_LIBRARY()

MESOS_MODULE(Calculator, org_example_faulty) { throw std::runtime_error("no licence"); }
