#include <mesos/module.hpp>
#include <calculator.hpp>
MESOS_MODULE_LIBRARY()
class ExampleCalculator : public Calculator { virtual int compute(char a, long b) { return a + b; } };
MESOS_MODULE(Calculator, example) { return new ExampleCalculator(); }
