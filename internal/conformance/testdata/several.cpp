// Several modules, several of one role among them. Each writes down when it is made and destroyed, in the file that the
// environment names.
#include <stdio.h>
#include <stdlib.h>

#include <string>

#include <calculator.hpp>
#include <test_module.hpp>

MESOS_MODULE_LIBRARY()

static void note(const char* what, const char* who) {
  const char* path = getenv("MMS_CONFORMANCE_JOURNAL");
  FILE* journal = path == nullptr ? nullptr : fopen(path, "a");
  if (journal != nullptr) {
    fprintf(journal, "%s %s\n", what, who);
    fclose(journal);
  }
}

class Noting : public Calculator {
 public:
  explicit Noting(const char* name, int factor = 1) : name_(name), factor_(factor) { note("new", name_); }
  ~Noting() { note("close", name_); }
  virtual int compute(char a, long b) { return static_cast<int>(a + b) * factor_; }

 private:
  const char* name_;
  int factor_;
};

class Tested : public TestModule {
 public:
  Tested() { note("new", "org_example_tested"); }
  ~Tested() { note("close", "org_example_tested"); }
  virtual int foo(char a, long b) { return static_cast<int>(a + b); }
  virtual int bar(float a, double b) { return static_cast<int>(a * b); }
};

MESOS_MODULE(Calculator, org_example_first, version("1.0.0")) { return new Noting("org_example_first"); }

MESOS_MODULE(Calculator, org_example_second, version("2.1.0"), parameter("factor", "int").standard("1"),
             parameter("token", "string").secret()) {
  return new Noting("org_example_second", atoi(parameters.get("factor", "1").c_str()));
}

MESOS_MODULE(Calculator, org_example_third, version("1.0.0"), conflicts("org_example_first", "<1")) {
  return new Noting("org_example_third");
}

MESOS_MODULE(TestModule, org_example_tested, needs("org_example_second", ">=2 <3")) { return new Tested(); }

// Asks about another module and its library, and wants version 2 of it.
MESOS_MODULE(Calculator, org_example_asks, version("1.0.0")) { return new Noting("org_example_asks"); }
MESOS_MODULE_COMPATIBLE(org_example_asks) {
  mesos::ModuleInfo base;
  if (!view.find("org_example_base", &base)) {
    mesos::fail("org_example_base is not loaded");
    return false;
  }
  if (base.version.compare(0, 2, "2.") != 0) {
    mesos::fail(base.role + " org_example_base is " + base.version + " of Mesos " + base.mesos_version + " in Mesos " +
                view.mesos_version());
    return false;
  }
  return true;
}
