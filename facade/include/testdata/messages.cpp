// Modules of the roles with API messages, with and without exceptions.
#include <authenticatee.hpp>
#include <authenticator.hpp>
#include <hook.hpp>
#include <isolator.hpp>
#include <mesos/json.hpp>
#include <mesos/module/hook.hpp>
#include <mesos/module/isolator.hpp>

MESOS_MODULE_LIBRARY()

// A pointer where it may be absent, so that what nobody sets costs next to nothing.
static_assert(sizeof(mesos::v1::TaskInfo) < 512 && sizeof(mesos::v1::ContainerInfo) < 256, "messages are small");
static_assert(sizeof(mesos::Optional<mesos::v1::ExecutorInfo>) == sizeof(void*), "an absent message is a pointer");

namespace {
class Labels : public Hook {
 public:
  mesos::Optional<mesos::v1::Labels> slaveRunTaskLabelDecorator(const mesos::v1::TaskInfo& task, const mesos::v1::ExecutorInfo& executor,
                                                                const mesos::v1::FrameworkInfo&, const mesos::v1::AgentInfo&) override {
    mesos::v1::Labels labels = task.labels.value_or(mesos::v1::Labels());
    mesos::v1::Label label;
    label.key = mesos::to_json(executor);
    label.value = "text";
    labels.labels.push_back(label);
    return labels;
  }
  mesos::Optional<mesos::DockerTaskExecutorPrepareInfo> slavePreLaunchDockerTaskExecutorDecorator(
      const mesos::Optional<mesos::v1::TaskInfo>& task, const mesos::v1::ExecutorInfo&, const std::string& name, const std::string&,
      const std::string&, const mesos::Optional<mesos::v1::Environment>&) override {
    if (!task || task->name != name) {
      mesos::fail("no task");
      return {};
    }
    mesos::DockerTaskExecutorPrepareInfo info;
    mesos::v1::Environment::Variable variable;
    variable.type = mesos::v1::Environment::Variable::Type::VALUE;
    info.taskEnvironment.ensure().variables.push_back(variable);
    return info;
  }
};

class Limits : public mesos::modules::Isolator {
 public:
  mesos::Optional<mesos::slave::ContainerLaunchInfo> prepare(const mesos::v1::ContainerID& id, const mesos::slave::ContainerConfig& config) override {
    mesos::slave::ContainerLaunchInfo info;
    info.working_directory = config.directory + (id.parent ? id.parent->value : id.value);
    std::string problem;
    return mesos::from_json("{}", info, &problem) ? mesos::Optional<mesos::slave::ContainerLaunchInfo>(info)
                                                  : mesos::Optional<mesos::slave::ContainerLaunchInfo>();
  }
  void watch(const mesos::v1::ContainerID&, const mesos::Receiver<mesos::slave::ContainerLimitation>& sink) override {
    mesos::slave::ContainerLimitation limitation;
    limitation.reason = mesos::v1::TaskStatus::Reason::REASON_CONTAINER_LIMITATION_MEMORY;
    mesos::Receiver<mesos::slave::ContainerLimitation> copy;
    copy = sink;
    if (copy.open() && !copy(limitation)) {
      mesos::fail("nobody listens");
    }
  }
  void cleanup(const mesos::v1::ContainerID&) override {}
};

class Guard : public Authenticator {
 public:
  void initialize(const mesos::Optional<mesos::v1::Credentials>&) override {}
  std::vector<std::string> mechanisms() override { return {}; }
  mesos::Optional<mesos::handshake::Answer> start(const std::string&, const std::string&, const std::string&, const std::string&) override { return {}; }
  mesos::Optional<mesos::handshake::Answer> step(const std::string&, const std::string&) override { return {}; }
  void end(const std::string&) override {}
};

class Guest : public Authenticatee {
 public:
  mesos::Optional<mesos::handshake::Start> start(const std::string&, const std::string&, const mesos::v1::Credential&,
                                                 const std::vector<std::string>&) override { return {}; }
  std::string step(const std::string&) override { return {}; }
};
}  // namespace

MESOS_MODULE(Hook, labels) { return new Labels(); }
MESOS_MODULE(Isolator, limits) { return new Limits(); }
MESOS_MODULE(Authenticator, guard) { return new Guard(); }
MESOS_MODULE(Authenticatee, guest) { return new Guest(); }
