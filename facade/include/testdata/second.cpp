// A second file of the library that forms.cpp makes: the headers may be in any number of files, and a check in another file
// than its module.
#include <calculator.hpp>
#include <test_module.hpp>

MESOS_MODULE_COMPATIBLE(quiet) { mesos::fail("not on a " + view.mesos_version()); return true; }

class Multiplier : public Calculator {
  virtual int compute(char a, long b) { return static_cast<int>(a * b); }
};
MESOS_MODULE(Calculator, multiplier) { return new Multiplier(); }
