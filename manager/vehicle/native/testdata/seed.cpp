#include <mesos/module.hpp>
#include <calculator.hpp>
#include <stdexcept>
#include <string>
MESOS_MODULE_LIBRARY()
class ExampleCalculator : public Calculator { virtual int compute(char a, long b) { return a + b; } };
MESOS_MODULE(Calculator, example) { return new ExampleCalculator(); }
MESOS_MODULE(Calculator, throws) { throw std::runtime_error("no disk " + std::string("left")); }
MESOS_MODULE(Calculator, returns_null) { return nullptr; }
