// A module that nobody calls: it runs beside the daemon from bind to teardown, and says in a file that it does.
#include <chrono>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>

#include <anonymous.hpp>

MESOS_MODULE_LIBRARY()

class Beat : public Anonymous {
 public:
  explicit Beat(const std::string& file) : file_(file) {}

  virtual void run() {
    const mesos::Context context = mesos::Context::current();
    const std::chrono::milliseconds nap(20);  // so soon it sees that teardown begins
    for (int naps = 0; !context.cancelled(); naps++) {
      if (naps % 500 == 0) write();
      std::this_thread::sleep_for(nap);
    }
  }

 private:
  void write() {
    std::ofstream out(file_.c_str());
    out << std::time(nullptr) << "\n";
    out.close();
    if (!out) throw mesos::Error("cannot write " + file_);
  }

  const std::string file_;
};

MESOS_MODULE(Anonymous, org_example_beat, version("1.0.0"), description("writes the time into a file every ten seconds"),
             parameter("file", "string").required().doc("absolute path of the file")) {
  return new Beat(parameters.get("file", ""));
}
