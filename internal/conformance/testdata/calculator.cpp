#include <mesos/module.hpp> // module system API
#include <calculator.hpp> // module role type declaration is in here

MESOS_MODULE_LIBRARY() // declares the module library (and its versions)

class ExampleCalculator : public Calculator {
  // An example function that the module implements.
  virtual int compute(char a, long b) { return a + b; }
};

MESOS_MODULE(Calculator, example) { // declares the module
  return new ExampleCalculator(); // creating and returning the module instance
}

#ifdef COMPATIBLE
MESOS_MODULE_COMPATIBLE(example) { return COMPATIBLE; }
#endif
