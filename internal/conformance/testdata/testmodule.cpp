// The TestModule that upstream's module tests load, by the object form and with upstream's meaning.
#include <string>
#include <vector>

#include <mesos/module.hpp>
#include <mesos/module/test_module.hpp>

class Example : public TestModule {
 public:
  explicit Example(const Parameters& given) : given_(given), sums_(false) {}

  // Refuses a parameter without key or value, and every operation but the sum.
  void initialize() {
    for (const Parameter& p : given_) {
      if (!p.has_key() || !p.has_value()) {
        throw mesos::Error("a parameter lacks its key or its value");
      }
      if (p.key() == "operation") {
        if (p.value() != "sum") {
          throw mesos::Error("the operation \"" + p.value() + "\" is not known");
        }
        sums_ = true;
      }
    }
  }

  virtual int foo(char a, long b) { return static_cast<int>(a + b); }
  virtual int bar(float a, double b) { return static_cast<int>(a * b); }
  virtual int baz(int a, int b) { return sums_ ? a + b : -1; }

  virtual std::vector<std::string> parameters() {
    std::vector<std::string> all;
    for (const Parameter& p : given_) {
      all.push_back(p.key() + "=" + p.value());
    }
    return all;
  }

 private:
  Parameters given_;
  bool sums_;
};

static TestModule* create(const Parameters& parameters) {
#ifdef NO_REASON
  (void)parameters;
  return nullptr;
#else
  Example* example = new Example(parameters);
  try {
    example->initialize();
  } catch (...) {
    delete example;
    throw;
  }
  return example;
#endif
}

static bool compatible() { return true; }

mesos::modules::Module<TestModule> org_apache_mesos_TestModule(
    MESOS_MODULE_API_VERSION, MESOS_VERSION, "Apache Mesos", "modules@mesos.apache.org", "This is a test module.",
    compatible, create);

#ifdef SECOND
class Adder : public Calculator {
  virtual int compute(char a, long b) { return static_cast<int>(a + b); }
};
MESOS_MODULE(Calculator, SECOND) { return new Adder(); }
#endif
