// A library with several modules of one role. A manifest picks those it wants; the others are not made.
#include <stdexcept>

#include <calculator.hpp>

MESOS_MODULE_LIBRARY()

class Maximum : public Calculator {
  virtual int compute(char a, long b) { return a > b ? a : static_cast<int>(b); }
};

class Minimum : public Calculator {
  virtual int compute(char a, long b) { return a < b ? a : static_cast<int>(b); }
};

class Quotient : public Calculator {
  virtual int compute(char a, long b) {
    if (b == 0) throw std::domain_error("division by zero");
    return static_cast<int>(a / b);
  }
};

MESOS_MODULE(Calculator, org_example_maximum, version("1.0.0"), description("the larger one")) { return new Maximum(); }

MESOS_MODULE(Calculator, org_example_minimum, version("1.0.0"), description("the smaller one")) { return new Minimum(); }

MESOS_MODULE(Calculator, org_example_quotient, version("1.0.0"), description("how often b is in a"),
             after("org_example_maximum")) {
  return new Quotient();
}
