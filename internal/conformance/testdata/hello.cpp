// The module guide's HelloWorld, declared by the macro, or with -DOBJECT by an object.
#include <iostream>

#include "test_module.hpp"

class TestModuleImpl : public TestModule {
 public:
  TestModuleImpl() { std::cout << "HelloWorld!" << std::endl; }

  virtual int foo(char a, long b) { return a + b; }

  virtual int bar(float a, double b) { return a * b; }
};

#ifdef OBJECT
static bool compatible() { return true; }
static TestModule* create() { return new TestModuleImpl(); }

mesos::modules::Module<TestModule> org_example_hello(
    MESOS_MODULE_API_VERSION, MESOS_VERSION, "Ann Author", "ann@example.org", "says hello", compatible, create);
#else
MESOS_MODULE_LIBRARY()
MESOS_MODULE(TestModule, org_example_hello) { return new TestModuleImpl(); }
#endif
