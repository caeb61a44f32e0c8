#include <mesos/module.hpp>
#include <calculator.hpp>
MESOS_MODULE_LIBRARY()
class Adder : public Calculator { virtual int compute(char a, long b) { return a + b; } };
MESOS_MODULE(Calculator, org_example_copy_000) { return new Adder(); }
