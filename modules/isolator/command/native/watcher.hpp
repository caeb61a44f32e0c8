// The programs that run as long as their containers do, all of them watched by one thread.
#ifndef MESOS_MODULES_COMMAND_WATCHER_HPP
#define MESOS_MODULES_COMMAND_WATCHER_HPP

#include <sys/eventfd.h>

#include <map>
#include <thread>

#include <mesos/json.hpp>
#include <mesos/slave/containerizer.hpp>

#include "runner.hpp"

namespace command {
namespace {

typedef mesos::Receiver<mesos::slave::ContainerLimitation> Sink;

class Watcher {
 public:
  Watcher() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), stopped_(false) {
    if (!wake_.open()) {
      throw mesos::Error("make an eventfd: " + reason(errno));
    }
    thread_ = std::thread([this] { loop(); });
  }

  // Ends all programs.
  ~Watcher() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
    }
    stir();
    thread_.join();
  }

  // Starts the program of a container, on the calling thread: those of the daemon stay, and with them the program.
  void begin(const std::string& container, const Command& command, const Sink& sink) {
    if (!sink.open()) {
      return;  // nobody wants to be told any more
    }
    std::shared_ptr<Entry> entry(new Entry());
    try {
      entry->process.reset(new Process(command));
    } catch (const std::exception& x) {
      throw failure("watch", command, x.what(), "");
    }
    entry->command = command;
    entry->sink = sink;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      entries_[container] = entry;
    }
    stir();
  }

  // Ends the program of a container. When it returns nothing is said of the container any more.
  void end(const std::string& container) {
    std::shared_ptr<Entry> entry;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(container);
    if (found != entries_.end()) {
      entries_.erase(found);
    }
  }

 private:
  static const size_t LONGEST = 64 << 10;

  struct Entry {
    std::unique_ptr<Process> process;
    Command command;
    Sink sink;
    std::string unread;
    Clock::time_point patience = Clock::time_point::max();
  };

  void stir() const {
    const uint64_t one = 1;
    ssize_t written = write(wake_.get(), &one, sizeof one);
    (void)written;
  }

  void loop() {
    for (;;) {
      std::vector<struct pollfd> all = {{wake_.get(), POLLIN, 0}};
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (stopped_) {
          entries_.clear();
          return;
        }
        for (const auto& entry : entries_) {
          entry.second->process->watch(all);
        }
      }
      poll(all.data(), all.size(), all.size() == 1 ? -1 : 10 * static_cast<int>(TICK.count()));
      uint64_t count;
      ssize_t got = read(wake_.get(), &count, sizeof count);
      (void)got;
      const std::lock_guard<std::mutex> lock(mutex_);
      for (auto at = entries_.begin(); at != entries_.end();) {
        if (work(*at->second)) {
          ++at;
        } else {
          at = entries_.erase(at);
        }
      }
    }
  }

  // Sees to one program. Returns false if it has no more to say.
  bool work(Entry& entry) {
    if (!entry.sink.open()) {
      return false;
    }
    entry.process->work(entry.unread);
    if (entry.process->ended() && entry.patience == Clock::time_point::max()) {
      entry.patience = Clock::now() + LINGER;
    }
    const bool over = entry.process->ended() && (entry.process->silent() || Clock::now() >= entry.patience);
    mesos::slave::ContainerLimitation limitation;
    bool found = false;
    std::string problem = look(entry.unread, over, &limitation, &found);
    if (!found && problem.empty()) {
      if (!over) {
        return true;
      }
      problem = entry.process->finish();
      if (problem.empty()) {
        return false;  // it has nothing to watch any more
      }
    }
    entry.process->finish();
    if (!problem.empty()) {
      limitation = mesos::slave::ContainerLimitation();
      limitation.message = std::string("The container is watched no more: ") + failure("watch", entry.command, problem, entry.process->complaint()).what();
    }
    if (!limitation.reason) {
      limitation.reason = mesos::v1::TaskStatus::Reason::REASON_CONTAINER_LIMITATION;
    }
    if (!limitation.message) {
      limitation.message = "The operator's program says so";
    }
    entry.sink(limitation);
    return false;
  }

  // Takes the first line that is not blank from what was read. Returns what is wrong with it.
  static std::string look(std::string& unread, bool over, mesos::slave::ContainerLimitation* limitation, bool* found) {
    for (;;) {
      const size_t end = unread.find('\n');
      if ((end == std::string::npos ? unread.size() : end) > LONGEST) {
        return "a line of its output is longer than " + std::to_string(LONGEST) + " bytes";
      }
      if (end == std::string::npos && (!over || unread.empty())) {
        return "";
      }
      const std::string line = unread.substr(0, end);
      unread.erase(0, end == std::string::npos ? end : end + 1);
      if (line.find_first_not_of(" \t\r\v\f") == std::string::npos) {
        continue;
      }
      std::string problem;
      *found = mesos::from_json(line, *limitation, &problem);
      return *found ? "" : "a line of its output: " + problem;
    }
  }

  File wake_;
  std::mutex mutex_;
  bool stopped_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // by container
  std::thread thread_;
};

}  // namespace
}  // namespace command

#endif
