// A TestModule for headers of any age: with -DBAZ it implements the method that older headers do not have.
#include <test_module.hpp>

MESOS_MODULE_LIBRARY()

class Aged : public TestModule {
  virtual int foo(char a, long b) { return static_cast<int>(a + b) + SHIFT; }
  virtual int bar(float, double) { return SHIFT; }
#ifdef BAZ
  virtual int baz(int a, int b) { return a * b; }
#endif
};

MESOS_MODULE(TestModule, NAME) { return new Aged(); }
