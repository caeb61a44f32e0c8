// Every form of declaring a module, in one file.
#include <mesos/mesos.hpp>
#include <mesos/module.hpp>
#include <mesos/module/anonymous.hpp>
#include <mesos/module/test_module.hpp>
#include <mesos/version.hpp>
#include <calculator.hpp>

MESOS_MODULE_LIBRARY()

namespace {
class Adder : public Calculator {
 public:
  Adder(const mesos::Host& host, const mesos::Parameters& parameters) : host_(host), parameters_(parameters) {}
  virtual int compute(char a, long b) {
    return mesos::Context::current().cancelled() ? -1 : static_cast<int>(a + b);
  }

 private:
  mesos::Host host_;
  mesos::Parameters parameters_;
};

class Hello : public TestModule {
 public:
  explicit Hello(const std::string& greeting = "") : greeting_(greeting) {}
  virtual int foo(char a, long b) { return static_cast<int>(a + b); }
  virtual int bar(float a, double b) { return static_cast<int>(a * b); }
  virtual std::vector<std::string> parameters() { return std::vector<std::string>(1, greeting_); }

 private:
  std::string greeting_;
};

class Quiet : public mesos::modules::Anonymous {};
}  // namespace

MESOS_MODULE_COMPATIBLE(checked_before) { return view.find("other") || view.mesos_version() == "1.12.0"; }

MESOS_MODULE(Calculator, checked_before, version("1.2.0"), author("Ann Author", "ann@example.org"),
             description("adds"), needs("org_example_base", ">=1.1 <2"), needs_role("TestModule"), uses("org_example_log"),
             conflicts("org_example_subtractor", "<1"), after("org_example_first"),
             parameter("digits", "int").standard("2").doc("digits after the point"),
             parameter("token").required().secret(), parameter("host").repeated()) {
  host.log("made");
  return new Adder(host, parameters);
}

MESOS_MODULE(TestModule, checked_behind, no_parameters()) { return new Hello(); }

MESOS_MODULE_COMPATIBLE(checked_behind) { return view.modules().empty(); }

MESOS_MODULE(Anonymous, quiet) { return new Quiet(); }

static TestModule* create_short(const Parameters& parameters) { return new Hello(parameters.get("greeting")); }
static TestModule* create_long(const mesos::Parameters& parameters) {
  for (const mesos::Parameter& parameter : parameters.parameter()) {
    if (parameter.key() == "fail") {
      return nullptr;
    }
  }
  parameters.host().warn("by object");
  return new Hello(parameters.parameter_size() > 0 ? parameters.parameter(0).value() : "");
}
static TestModule* create_bare() { return new Hello(); }
static bool compatible() { return true; }

mesos::modules::Module<TestModule> by_short(MESOS_MODULE_API_VERSION, MESOS_VERSION, "a", "e", "d", compatible, create_short);
mesos::modules::Module<TestModule> by_long(MESOS_MODULE_API_VERSION, MESOS_VERSION, "a", "e", "d", nullptr, create_long);
MESOS_EXPORT mesos::modules::Module<TestModule> by_bare(MESOS_MODULE_API_VERSION, MESOS_VERSION, "a", "e", "d", NULL, create_bare);
mesos::modules::Module<TestModule> by_lambda(MESOS_MODULE_API_VERSION, MESOS_VERSION, "a", "e", "d", nullptr,
                                             [](const mesos::Parameters&) -> TestModule* { return new Hello("lambda"); });
mesos::modules::Module<TestModule> by_bare_lambda(MESOS_MODULE_API_VERSION, MESOS_VERSION, "a", "e", "d", nullptr,
                                                  []() -> TestModule* { return new Hello(); });
