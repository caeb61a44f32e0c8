// The hook that gives variables to the environment of executors, as its parameters say, in C++. It does what the module in Go
// does.
#include <hook.hpp>

#include <memory>
#include <string>
#include <vector>

#include "../../condition/native/condition.hpp"

MESOS_MODULE_LIBRARY()

namespace {

using mesos::v1::Environment;
typedef mesos::v1::Environment::Variable Variable;

// What is wrong with the name of a variable for a shell, or nothing.
std::string identifier(const std::string& name) {
  if (name.empty()) {
    return "there is no name before the =";
  }
  for (size_t i = 0; i < name.size(); i++) {
    const char c = name[i];
    const bool good = c == '_' || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || (i > 0 && '0' <= c && c <= '9');
    if (!good) {
      return "a name has letters, digits and _ only, and begins with no digit";
    }
  }
  return "";
}

// What variables are to condition::set and condition::add.
struct Kind {
  static const std::string& key(const Variable& variable) { return variable.name; }
  static bool is(const Variable& variable, const std::string& value) {
    return variable.value.value_or("") == value && variable.type.value_or(Variable::Type::VALUE) == Variable::Type::VALUE;
  }
  static Variable make(const condition::Pair& pair) {
    Variable variable;
    variable.name = pair.key;
    variable.value = pair.value;
    variable.type = Variable::Type::VALUE;
    return variable;
  }
};

// It does not change once it is made.
class Decorator : public Hook {
 public:
  Decorator(const mesos::Parameters& parameters, condition::Problems& problems)
      : set_(condition::pairs(parameters, "set", identifier, problems)),
        missing_(condition::pairs(parameters, "default", identifier, problems)),
        frameworks_(parameters, "framework_id", problems),
        roles_(parameters, "role", problems),
        executors_(parameters, "executor", problems) {
    std::vector<std::string> names;
    for (const std::vector<condition::Pair>* pairs : {&set_, &missing_}) {
      for (const condition::Pair& pair : *pairs) {
        names.push_back(pair.key);
      }
    }
    condition::unique(names, problems);
    if (!parameters.has("set") && !parameters.has("default")) {
      problems.add("there is nothing to do: give at least one of the parameters set and default");
    }
  }

  mesos::Optional<Environment> slaveExecutorEnvironmentDecorator(const mesos::v1::ExecutorInfo& executor) override {
    const std::string framework = executor.framework_id ? executor.framework_id->value : "";
    if (!frameworks_.match(framework) || !roles_.match_role(executor.resources) || !executors_.match(executor.executor_id.value)) {
      return {};
    }
    Environment made;
    if (executor.command && executor.command->environment) {
      made.variables = executor.command->environment->variables;
    }
    bool changed = false;
    for (const condition::Pair& pair : set_) {
      changed = condition::set<Kind>(made.variables, pair) || changed;
    }
    for (const condition::Pair& pair : missing_) {
      changed = condition::add<Kind>(made.variables, pair) || changed;
    }
    return changed ? mesos::Optional<Environment>(made) : mesos::Optional<Environment>();
  }

 private:
  const std::vector<condition::Pair> set_, missing_;
  const condition::Patterns frameworks_, roles_, executors_;
};

}  // namespace

MESOS_MODULE(Hook, org_apache_mesos_EnvironmentDecoratorHook,
             version("1.0.0"),
             author("Apache Mesos", "modules@mesos.apache.org"),
             description("Gives variables to the environment of executors."),
             parameter("set").repeated().doc("NAME=value: the executor has this variable"),
             parameter("default").repeated().doc("NAME=value: the executor has this variable if its own environment does not name it"),
             parameter("framework_id").repeated().doc("only executors of frameworks whose id is like this; * stands for any characters"),
             parameter("role").repeated().doc("only executors whose resources are allocated to a role like this"),
             parameter("executor").repeated().doc("only executors whose id is like this"))
{
  condition::Problems problems;
  std::unique_ptr<Decorator> decorator(new Decorator(parameters, problems));
  problems.report();
  return decorator.release();
}

MESOS_MODULE_COMPATIBLE(org_apache_mesos_EnvironmentDecoratorHook) { return true; }
