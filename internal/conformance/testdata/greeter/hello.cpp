#include <mesos/module.hpp>
#include <greeter.hpp>

MESOS_MODULE_LIBRARY()

class Hello : public Greeter {
  virtual std::string greet(const std::string& name) { return "Hello, " + name; }
#ifdef WAVES
  virtual std::string wave(int times) { return std::string(static_cast<size_t>(times), '~'); }
#endif
};

MESOS_MODULE(Greeter, org_example_hello) { return new Hello(); }
