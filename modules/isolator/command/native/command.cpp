// The command isolator in C++: it calls programs of the operator around the life of every container.
// docs/modules/isolator-command.md has the protocol, which the module in Go speaks too.
#include <isolator.hpp>
#include <mesos/json.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "process.hpp"
#include "runner.hpp"
#include "settings.hpp"
#include "watcher.hpp"

MESOS_MODULE_LIBRARY()

namespace {

using command::Command;
using mesos::v1::ContainerID;

std::string key(const ContainerID& id) { return (id.parent ? key(*id.parent) + "/" : "") + id.value; }

// Documents that programs get: one line.
class Document {
 public:
  explicit Document(const std::string& step) {
    out_.begin('{');
    add("step", step);
  }
  template <typename T>
  Document& add(const char* name, const T& value) {
    out_.key(name);
    out_.write(value);
    return *this;
  }
  template <typename T>
  Document& add(const char* name, const std::vector<T>& all) {
    out_.key(name);
    out_.begin('[');
    for (const T& one : all) {
      out_.write(one);
    }
    out_.end(']');
    return *this;
  }
  template <typename T>
  Document& add(const char* name, const std::map<std::string, T>& all) {
    out_.key(name);
    out_.begin('{');
    for (const auto& entry : all) {
      add(entry.first.c_str(), entry.second);
    }
    out_.end('}');
    return *this;
  }
  std::string line() {
    out_.end('}');
    return out_.text() + "\n";
  }

 private:
  mesos::json::Writer out_;
};

// One that the module was asked to prepare, or that recover named.
struct Container {
  int pid = 0;  // 0 if it is not known
  bool watched = false;
  command::Sink sink;
};

class Commands : public Isolator {
 public:
  explicit Commands(const command::Settings& settings) : settings_(settings), runner_(settings.timeout, settings.parallel) {}

  bool supportsNesting() override { return settings_.nested; }
  bool supportsStandalone() override { return true; }

  void recover(const std::vector<mesos::slave::ContainerState>& states, const std::vector<ContainerID>& orphans) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const mesos::slave::ContainerState& state : states) {
        containers_[key(state.container_id)].pid = static_cast<int>(state.pid);
      }
      for (const ContainerID& id : orphans) {
        containers_[key(id)] = Container();
      }
    }
    if (has("recover")) {
      run("recover", nullptr, 0, Document("recover").add("states", states).add("orphans", orphans));
    }
  }

  mesos::Optional<mesos::slave::ContainerLaunchInfo> prepare(const ContainerID& id, const mesos::slave::ContainerConfig& config) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      containers_[key(id)] = Container();
    }
    if (!has("prepare")) {
      return {};
    }
    return answer<mesos::slave::ContainerLaunchInfo>(
        "prepare", run("prepare", &id, 0, Document("prepare").add("container_id", id).add("config", config)));
  }

  void isolate(const ContainerID& id, int pid) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = containers_.find(key(id));
      if (found != containers_.end()) {
        found->second.pid = pid;
      }
    }
    call("isolate", id, pid);
    begin(id);
  }

  void watch(const ContainerID& id, const mesos::Receiver<mesos::slave::ContainerLimitation>& sink) override {
    if (!has("watch")) {
      return;
    }
    bool recovered;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = containers_.find(key(id));
      if (found == containers_.end()) {
        throw mesos::Error("container " + key(id) + " is not known");
      }
      found->second.watched = true;
      found->second.sink = sink;
      recovered = found->second.pid != 0;
    }
    if (recovered) {
      begin(id);
    }
  }

  void update(const ContainerID& id, const std::vector<mesos::v1::Resource>& requests,
              const mesos::v1::OfferFilters_ResourceQuantities& limits) override {
    if (has("update")) {
      run("update", &id, pid(id), Document("update").add("container_id", id).add("resources", requests).add("limits", limits.quantities));
    }
  }

  mesos::Optional<mesos::v1::ResourceStatistics> usage(const ContainerID& id) override {
    return answer<mesos::v1::ResourceStatistics>("usage", call("usage", id, pid(id)));
  }

  mesos::Optional<mesos::v1::ContainerStatus> status(const ContainerID& id) override {
    return answer<mesos::v1::ContainerStatus>("status", call("status", id, pid(id)));
  }

  void cleanup(const ContainerID& id) override {
    int pid;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = containers_.find(key(id));
      if (found == containers_.end()) {
        return;
      }
      pid = found->second.pid;
      containers_.erase(found);
    }
    watcher_.end(key(id));
    if (has("cleanup")) {
      run("cleanup", &id, pid, Document("cleanup").add("container_id", id));
    }
  }

 private:
  bool has(const std::string& step) const { return settings_.programs.count(step) > 0; }

  int pid(const ContainerID& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = containers_.find(key(id));
    return found == containers_.end() ? 0 : found->second.pid;
  }

  static Document document(const std::string& step, const ContainerID& id, int pid) {
    Document d(step);
    d.add("container_id", id);
    if (pid != 0) {
      d.add("pid", static_cast<int32_t>(pid));
    }
    return d;
  }

  // Runs the program of a step that needs no more than that; without one, nothing.
  std::string call(const std::string& step, const ContainerID& id, int pid) {
    return has(step) ? run(step, &id, pid, document(step, id, pid)) : std::string();
  }

  std::string run(const std::string& step, const ContainerID* id, int pid, Document& document) {
    return runner_.run(step, command_of(step, id, pid, document));
  }
  std::string run(const std::string& step, const ContainerID* id, int pid, Document&& document) { return run(step, id, pid, document); }

  // The variables are what a script can do with that would rather not read JSON.
  Command command_of(const std::string& step, const ContainerID* id, int pid, Document& document) const {
    Command command = {settings_.programs.at(step), settings_.environment, document.line(), &settings_.credential};
    command.environment.push_back("MESOS_ISOLATOR_STEP=" + step);
    if (id != nullptr) {
      command.environment.push_back("MESOS_CONTAINER_ID=" + key(*id));
    }
    if (pid != 0) {
      command.environment.push_back("MESOS_CONTAINER_PID=" + std::to_string(pid));
    }
    return command;
  }

  // Starts the program of watch, where there is one and somebody to be told.
  void begin(const ContainerID& id) {
    Container container;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = containers_.find(key(id));
      if (found == containers_.end() || !found->second.watched) {
        return;
      }
      container = found->second;
    }
    Document d = document("watch", id, container.pid);
    watcher_.begin(key(id), command_of("watch", &id, container.pid, d), container.sink);
  }

  template <typename T>
  mesos::Optional<T> answer(const std::string& step, const std::string& text) const {
    if (text.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
      return {};
    }
    mesos::json::Value value;
    std::string problem;
    T message;
    if (mesos::json::Parser(text).document(value, &problem)) {
      complete(message, value);
      mesos::json::FieldReader::message(value, message, problem);
    }
    if (!problem.empty()) {
      throw mesos::Error("the program " + settings_.programs.at(step)[0] + " of step " + step + ": its answer: " +
                         (problem[0] == ':' ? problem.substr(2) : problem));
    }
    return message;
  }

  // The one field that programs may leave out although it is required.
  static void complete(const mesos::v1::ResourceStatistics&, mesos::json::Value& value) {
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    mesos::json::Value time;
    time.kind = mesos::json::Value::NUMBER;
    time.text = std::to_string(now);
    for (size_t i = 0; i < value.keys.size(); i++) {
      if (value.keys[i] == "timestamp" && value.values[i].kind == mesos::json::Value::NOTHING) {
        value.values[i] = time;
      }
    }
    value.keys.insert(value.keys.begin(), "timestamp");  // another one that stands behind it counts
    value.values.insert(value.values.begin(), time);
  }
  template <typename T>
  static void complete(const T&, mesos::json::Value&) {}

  const command::Settings settings_;
  command::Runner runner_;
  command::Watcher watcher_;

  std::mutex mutex_;
  std::map<std::string, Container> containers_;
};

}  // namespace

MESOS_MODULE(Isolator, org_apache_mesos_CommandIsolator,
             version("1.0.0"),
             author("Apache Mesos", "modules@mesos.apache.org"),
             description("Calls programs of the operator around the life of every container."),
             parameter("recover").doc("program to call when the agent starts, with the containers that live on: an absolute path and arguments"),
             parameter("prepare").doc("program to call before a container's process exists; answers with a ContainerLaunchInfo"),
             parameter("isolate").doc("program to call when the process is there and held"),
             parameter("watch").doc("program that runs as long as the container does and may end it by writing a ContainerLimitation"),
             parameter("update").doc("program to call when the container's resources have changed"),
             parameter("usage").doc("program that answers with ResourceStatistics"),
             parameter("status").doc("program that answers with a ContainerStatus"),
             parameter("cleanup").doc("program to call when all processes of the container have ended"),
             parameter("timeout", "duration").standard("15secs").doc("how long a program may run; watch has no limit"),
             parameter("user").doc("the user that programs run as; without it, the agent's"),
             parameter("environment").doc("names of variables of the agent's environment that programs get, with commas between them"),
             parameter("parallel", "int").standard("16").doc("how many programs run at once, those of watch not counted"),
             parameter("nested", "bool").standard("true").doc("call programs for containers within containers too"))
{
  return new Commands(command::settings_of(parameters));
}

MESOS_MODULE_COMPATIBLE(org_apache_mesos_CommandIsolator) { return true; }
