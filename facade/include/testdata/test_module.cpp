#include <iostream>
#include "test_module.hpp"

class TestModuleImpl : public TestModule
{
public:
  TestModuleImpl() { std::cout << "HelloWorld!" << std::endl; }

  virtual int foo(char a, long b) { return a + b; }

  virtual int bar(float a, double b) { return a * b; }
};

static TestModule* create(const Parameters&) { return new TestModuleImpl(); }

static bool compatible() { return true; }

mesos::modules::Module<TestModule> org_apache_mesos_TestModule(
    MESOS_MODULE_API_VERSION,
    MESOS_VERSION,
    "Apache Mesos",
    "modules@mesos.apache.org",
    "This is a test module.",
    compatible,
    create);
