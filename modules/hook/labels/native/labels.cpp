// The hook that decorates the labels of tasks as its parameters say, in C++. It does what the module in Go does.
#include <hook.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "../../condition/native/condition.hpp"

MESOS_MODULE_LIBRARY()

namespace {

using mesos::v1::Label;
using mesos::v1::Labels;

std::string named(const std::string& key) { return key.empty() ? "there is no key before the =" : ""; }

// What labels are to condition::set and condition::add.
struct Kind {
  static const std::string& key(const Label& label) { return label.key; }
  static bool is(const Label& label, const std::string& value) { return label.value.value_or("") == value; }
  static Label make(const condition::Pair& pair) {
    Label label;
    label.key = pair.key;
    label.value = pair.value;
    return label;
  }
};

// It does not change once it is made.
class Decorator : public Hook {
 public:
  Decorator(const mesos::Parameters& parameters, condition::Problems& problems)
      : set_(condition::pairs(parameters, "set", named, problems)),
        missing_(condition::pairs(parameters, "default", named, problems)),
        remove_(condition::values(parameters, "remove")),
        frameworks_(parameters, "framework", problems),
        roles_(parameters, "role", problems),
        tasks_(parameters, "task", problems) {
    std::vector<std::string> keys = remove_;
    for (const std::vector<condition::Pair>* pairs : {&set_, &missing_}) {
      for (const condition::Pair& pair : *pairs) {
        keys.push_back(pair.key);
      }
    }
    condition::unique(keys, problems);
    if (!parameters.has("set") && !parameters.has("default") && !parameters.has("remove")) {
      problems.add("there is nothing to do: give at least one of the parameters set, default and remove");
    } else if (removes("")) {
      problems.add("parameter remove is empty: write the key of a label");
    }
  }

  mesos::Optional<Labels> masterLaunchTaskLabelDecorator(const mesos::v1::TaskInfo& task, const mesos::v1::FrameworkInfo& framework,
                                                         const mesos::v1::AgentInfo&) override {
    return decorate(task, framework);
  }

  mesos::Optional<Labels> slaveRunTaskLabelDecorator(const mesos::v1::TaskInfo& task, const mesos::v1::ExecutorInfo&,
                                                     const mesos::v1::FrameworkInfo& framework,
                                                     const mesos::v1::AgentInfo&) override {
    return decorate(task, framework);
  }

 private:
  bool removes(const std::string& key) const { return std::find(remove_.begin(), remove_.end(), key) != remove_.end(); }

  // The task's labels, or nothing if they stay as they are.
  mesos::Optional<Labels> decorate(const mesos::v1::TaskInfo& task, const mesos::v1::FrameworkInfo& framework) const {
    if (!frameworks_.match(framework.name) || !roles_.match_role(task.resources) || !tasks_.match(task.name)) {
      return {};
    }
    Labels made;
    bool changed = false;
    for (const Label& label : task.labels ? task.labels->labels : std::vector<Label>()) {
      if (removes(label.key)) {
        changed = true;
      } else {
        made.labels.push_back(label);
      }
    }
    for (const condition::Pair& pair : set_) {
      changed = condition::set<Kind>(made.labels, pair) || changed;
    }
    for (const condition::Pair& pair : missing_) {
      changed = condition::add<Kind>(made.labels, pair) || changed;
    }
    return changed ? mesos::Optional<Labels>(made) : mesos::Optional<Labels>();
  }

  const std::vector<condition::Pair> set_, missing_;
  const std::vector<std::string> remove_;
  const condition::Patterns frameworks_, roles_, tasks_;
};

}  // namespace

MESOS_MODULE(Hook, org_apache_mesos_LabelDecoratorHook,
             version("1.0.0"),
             author("Apache Mesos", "modules@mesos.apache.org"),
             description("Adds, replaces and removes labels of tasks."),
             parameter("set").repeated().doc("key=value: the task has this label, and no other of this key"),
             parameter("default").repeated().doc("key=value: the task has this label if it has none of this key"),
             parameter("remove").repeated().doc("key: the task has no label of this key"),
             parameter("framework").repeated().doc("only tasks of frameworks whose name is like this; * stands for any characters"),
             parameter("role").repeated().doc("only tasks whose resources are allocated to a role like this"),
             parameter("task").repeated().doc("only tasks whose name is like this"))
{
  condition::Problems problems;
  std::unique_ptr<Decorator> decorator(new Decorator(parameters, problems));
  problems.report();
  return decorator.release();
}

MESOS_MODULE_COMPATIBLE(org_apache_mesos_LabelDecoratorHook) { return true; }
