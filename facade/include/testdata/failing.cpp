// A module that fails in every way there is; FAIL_BY_WORD leaves those that need exceptions out.
#include <calculator.hpp>

MESOS_MODULE_LIBRARY()

class Failing : public Calculator {
 public:
  explicit Failing(bool bad_end) : bad_end_(bad_end) {}
  virtual ~Failing() {
    if (bad_end_) {
      mesos::fail("cannot let go");
    }
  }
  virtual int compute(char a, long b) {
    switch (a) {
      case 1: mesos::fail("by word"); return 1;
      case 2: mesos::fail(std::string("by text ") + std::to_string(b)); return 1;
#ifndef FAIL_BY_WORD
      case 3: throw std::runtime_error("by exception");
      case 4: throw mesos::Error("by Error");
      case 5: throw 42;
#endif
      case 6: return mesos::Context::current().cancelled();
      case 7: return mesos::Context::current().has_deadline() && mesos::Context::current().deadline() < std::chrono::system_clock::now();
      default: return static_cast<int>(b);
    }
  }

 private:
  bool bad_end_;
};

MESOS_MODULE(Calculator, failing) {
  const std::string how = parameters.get("how");
  if (how == "null") {
    return nullptr;
  }
  if (how == "word") {
    mesos::fail("create by word in " + host.module());
    return new Failing(false);
  }
#ifndef FAIL_BY_WORD
  if (how == "throw") {
    throw mesos::Error("create by exception");
  }
#endif
  return new Failing(how == "end");
}
