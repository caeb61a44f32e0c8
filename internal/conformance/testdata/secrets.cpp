// Does with its secret parameter what modules do by mistake, where the daemon can help it.
#include <calculator.hpp>

MESOS_MODULE_LIBRARY()

class Keeps : public Calculator {
 public:
  explicit Keeps(const std::string& token) : token_(token) {}
  virtual int compute(char, long) { return static_cast<int>(token_.size()); }

 private:
  std::string token_;
};

MESOS_MODULE(Calculator, org_example_declared, parameter("seal", "string").secret().required(), parameter("digits", "int")) {
  return new Keeps(parameters.get("seal"));
}

// Without a schema the name of the key tells.
MESOS_MODULE(Calculator, org_example_undeclared) { return new Keeps(parameters.get("api_token")); }
