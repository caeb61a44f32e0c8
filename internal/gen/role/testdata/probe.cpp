#include <probe.hpp>

MESOS_MODULE_LIBRARY()

class Echo : public Probe {
  bool flip(bool on) { return !on; }
  double add(unsigned a, unsigned long b, float c, double d) { return static_cast<double>(a) + static_cast<double>(b) + static_cast<double>(c) + d; }
  unsigned long next(unsigned long a) { return a + 1; }
  float half(float a) { return a / 2; }
  unsigned low(unsigned a) { return a; }
  char char_(char a) { return a; }
  std::string join(const std::string& text, const std::string& data) { return text + "+" + data; }
  std::string reverse(const std::string& data) { return std::string(data.rbegin(), data.rend()); }
  mesos::Optional<mesos::v1::TaskID> rename(const mesos::v1::TaskID& task) { return task; }
  mesos::Optional<mesos::v1::ContainerID> parent(const mesos::Optional<mesos::v1::ContainerID>& child) {
    return child ? child->parent : mesos::Optional<mesos::v1::ContainerID>(mesos::v1::ContainerID());
  }
  long sum(const std::vector<long>& all) {
    long sum = 0;
    for (long x : all) {
      sum += x;
    }
    return sum;
  }
  std::vector<std::string> texts(const std::vector<std::string>& all) { return reversed(all); }
  std::vector<std::string> blobs(const std::vector<std::string>& all) { return reversed(all); }
  std::vector<bool> flags(const std::vector<bool>& all) { return reversed(all); }
  std::vector<double> numbers(const std::vector<double>& all) { return reversed(all); }
  std::vector<mesos::v1::TaskID> tasks(const std::vector<mesos::v1::TaskID>& all) { return reversed(all); }
  void delete_(const std::string& this_, const std::string&, const std::string&, const std::string&, const std::string&) {
    throw mesos::Error("cannot delete " + this_);
  }
  void range() {}
  void watch(const std::string& text, const mesos::Receiver<std::string>& texts, const mesos::Receiver<std::string>& blobs,
             const mesos::Receiver<mesos::v1::TaskID>& sink) {
    texts(text + "1");
    texts(text + "2");
    blobs(text);
    mesos::v1::TaskID task;
    task.value = text;
    sink(task);
  }

  template <typename T>
  static std::vector<T> reversed(const std::vector<T>& all) { return std::vector<T>(all.rbegin(), all.rend()); }
};

MESOS_MODULE(Probe, echo) { return new Echo(); }
