// Modules that fail in every way there is, in every kind of method; the parameter says how.
#include <authenticatee.hpp>
#include <authenticator.hpp>
#include <hook.hpp>
#include <isolator.hpp>

#include <atomic>
#include <chrono>
#include <thread>

MESOS_MODULE_LIBRARY()

namespace {

// Fails, hangs until the call is cancelled, or does nothing.
void act(const std::string& how) {
  if (how == "throw") {
    throw mesos::Error("no disk left");
  }
  if (how == "standard") {
    throw std::out_of_range("beyond the end");
  }
  if (how == "strange") {
    throw 42;
  }
  if (how == "word") {
    mesos::fail("said in a word");
  }
  if (how == "hang") {
    while (!mesos::Context::current().cancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw mesos::Error("told to stop");
  }
}

class BadHook : public Hook {
 public:
  explicit BadHook(const std::string& how) : how_(how) {}
  mesos::Optional<mesos::v1::Labels> masterLaunchTaskLabelDecorator(const mesos::v1::TaskInfo&, const mesos::v1::FrameworkInfo&,
                                                                    const mesos::v1::AgentInfo&) override {
    act(how_);
    return mesos::v1::Labels();
  }
  std::vector<mesos::v1::Resource> slaveResourcesDecorator(const mesos::v1::AgentInfo&) override {
    act(how_);
    return {mesos::v1::Resource(), mesos::v1::Resource()};
  }
  void masterSlaveLostHook(const mesos::v1::AgentInfo&) override { act(how_); }

 private:
  std::string how_;
};

class BadAuthenticator : public Authenticator {
 public:
  explicit BadAuthenticator(const std::string& how) : how_(how) {}
  void initialize(const mesos::Optional<mesos::v1::Credentials>&) override { act(how_); }
  std::vector<std::string> mechanisms() override {
    act(how_);
    return {"NONE"};
  }
  mesos::Optional<mesos::handshake::Answer> start(const std::string&, const std::string&, const std::string&, const std::string&) override {
    act(how_);
    return {};
  }
  mesos::Optional<mesos::handshake::Answer> step(const std::string&, const std::string&) override {
    act(how_);
    mesos::handshake::Answer answer;
    answer.outcome = static_cast<mesos::handshake::Answer::Outcome>(77);
    return answer;
  }
  void end(const std::string&) override { act(how_); }

 private:
  std::string how_;
};

class BadAuthenticatee : public Authenticatee {
 public:
  explicit BadAuthenticatee(const std::string& how) : how_(how) {}
  mesos::Optional<mesos::handshake::Start> start(const std::string&, const std::string&, const mesos::v1::Credential&,
                                                 const std::vector<std::string>&) override {
    act(how_);
    return {};
  }
  std::string step(const std::string& data) override {
    act(how_);
    return data;
  }

 private:
  std::string how_;
};

typedef mesos::Receiver<mesos::slave::ContainerLimitation> Sink;

// Says what it has to say from a thread of its own, and again, until nobody listens, and once more.
class BadIsolator : public Isolator {
 public:
  explicit BadIsolator(const std::string& how) : how_(how) {}
  ~BadIsolator() override {
    stop_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
    mesos::slave::ContainerLimitation late;
    for (const Sink& sink : sinks_) {
      sink(late);
    }
  }
  bool supportsNesting() override {
    act(how_);
    return true;
  }
  void recover(const std::vector<mesos::slave::ContainerState>&, const std::vector<mesos::v1::ContainerID>&) override { act(how_); }
  mesos::Optional<mesos::slave::ContainerLaunchInfo> prepare(const mesos::v1::ContainerID&, const mesos::slave::ContainerConfig&) override {
    act(how_);
    return {};
  }
  void watch(const mesos::v1::ContainerID&, const Sink& sink) override {
    act(how_);
    sinks_.push_back(sink);
    threads_.push_back(std::thread([this, sink] {
      mesos::slave::ContainerLimitation limitation;
      limitation.message = "again";
      for (int i = 0; i < 1000 && !stop_ && sink(limitation); i++) {
      }
    }));
  }
  mesos::Optional<mesos::v1::ResourceStatistics> usage(const mesos::v1::ContainerID&) override {
    act(how_);
    return {};
  }
  void cleanup(const mesos::v1::ContainerID&) override { act(how_); }

 private:
  std::string how_;
  std::atomic<bool> stop_{false};
  std::vector<Sink> sinks_;
  std::vector<std::thread> threads_;
};

}  // namespace

MESOS_MODULE(Hook, org_example_hook, version("1.0.0")) { return new BadHook(parameters.get("how")); }
MESOS_MODULE(Authenticator, org_example_authenticator, version("1.0.0")) { return new BadAuthenticator(parameters.get("how")); }
MESOS_MODULE(Authenticatee, org_example_authenticatee, version("1.0.0")) { return new BadAuthenticatee(parameters.get("how")); }
MESOS_MODULE(Isolator, org_example_isolator, version("1.0.0")) { return new BadIsolator(parameters.get("how")); }
