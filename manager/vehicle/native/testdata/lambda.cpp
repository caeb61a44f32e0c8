// Before C++17 a lambda's address is known only when the library is opened.
#include <mesos/module.hpp>
#include <calculator.hpp>
class ExampleCalculator : public Calculator { virtual int compute(char a, long b) { return a + b; } };
mesos::modules::Module<Calculator> org_example_lambda(
    MESOS_MODULE_API_VERSION, MESOS_VERSION, "Ann", "ann@example.org", "filled when opened", nullptr,
    [](const mesos::Parameters&) -> Calculator* { return new ExampleCalculator(); });
