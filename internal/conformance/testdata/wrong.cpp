// Does not compile: the instance is not of the role's type.
#include <calculator.hpp>
#include <test_module.hpp>

class TestModuleImpl : public TestModule {
  virtual int foo(char, long) { return 0; }
  virtual int bar(float, double) { return 0; }
};

#ifdef OBJECT
static TestModule* create() { return new TestModuleImpl(); }
mesos::modules::Module<Calculator> org_example_wrong(MESOS_MODULE_API_VERSION, MESOS_VERSION, "", "", "", nullptr, create);
#else
MESOS_MODULE(Calculator, org_example_wrong) { return new TestModuleImpl(); }
#endif
