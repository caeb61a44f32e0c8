// A second file of the library that forms.cpp makes: the headers may be in any number of files, and a check in another file
// than its module.
#include <calculator.hpp>
#include <test_module.hpp>

MESOS_MODULE_COMPATIBLE(quiet) { mesos::fail("not on a " + view.mesos_version()); return true; }

class Multiplier : public Calculator {
  virtual int compute(char a, long b) { return static_cast<int>(a * b); }
};
MESOS_MODULE(Calculator, multiplier) { return new Multiplier(); }

// In a namespace, and beside names of the author's own that the words between name and body would collide with.
static int version = 3;
int author();
int author() { return version; }
namespace needs {
struct parameter {};
}
namespace org { namespace example {
struct Nested : Calculator {
  virtual int compute(char a, long b) { return static_cast<int>(a - b); }
};
MESOS_MODULE(Calculator, nested, version("1.0.0"), needs("x"), parameter("k")) { return new Nested(); }
MESOS_MODULE_COMPATIBLE(nested) { return true; }
} }  // namespace org::example
