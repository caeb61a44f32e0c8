// Upstream's anonymous test module: its constructor sets a variable of the environment. A Calculator beside it reads it, as the
// daemon's own copy of the environment does not show what C sets.
#include <stdlib.h>

#include <anonymous.hpp>
#include <calculator.hpp>

MESOS_MODULE_LIBRARY()

static const char* const variable = "MMS_CONFORMANCE_ANONYMOUS";

class TestAnonymous : public Anonymous {
 public:
  TestAnonymous() { setenv(variable, "42", 1); }
  ~TestAnonymous() { unsetenv(variable); }
};

class Reader : public Calculator {
  virtual int compute(char, long) {
    const char* value = getenv(variable);
    return value == nullptr ? -1 : atoi(value);
  }
};

MESOS_MODULE(Anonymous, org_apache_mesos_TestAnonymous) { return new TestAnonymous(); }
MESOS_MODULE(Calculator, org_example_reader) { return new Reader(); }
