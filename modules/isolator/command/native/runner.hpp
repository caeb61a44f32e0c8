// Runs the programs of the steps, but for watch.
#ifndef MESOS_MODULES_COMMAND_RUNNER_HPP
#define MESOS_MODULES_COMMAND_RUNNER_HPP

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "process.hpp"

namespace command {
namespace {

typedef std::chrono::steady_clock Clock;

// How long output is waited for that others than the program's group hold open.
const std::chrono::milliseconds LINGER(1000);

// How often it is asked whether a call is cancelled.
const std::chrono::milliseconds TICK(20);

// How long a reason may be, so that the daemon takes it whole.
const size_t ROOM = sizeof mesos_error().text - 1;

// The failure of a program. Of a long complaint the end is kept.
inline mesos::Error failure(const std::string& step, const Command& command, const std::string& why, std::string complaint) {
  std::string text = "the program " + command.words[0] + " of step " + step + ": " + why;
  const size_t left = text.size() + 2 < ROOM ? ROOM - text.size() - 2 : 0;
  if (complaint.size() > left) {
    complaint.erase(0, complaint.size() - left);
  }
  return mesos::Error(complaint.empty() ? text : text + ": " + complaint);
}

// Any number of threads may use it.
class Runner {
 public:
  Runner(std::chrono::nanoseconds timeout, long parallel) : timeout_(timeout), free_(parallel) {}

  // Runs a program and returns what it has written to standard output.
  std::string run(const std::string& step, const Command& command) {
    const Turn turn(*this, step, command);
    const Clock::time_point deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout_);
    std::unique_ptr<Process> process;
    try {
      process.reset(new Process(command));
    } catch (const std::exception& x) {
      throw failure(step, command, x.what(), "");
    }
    std::string answer, killed;
    Clock::time_point patience = Clock::time_point::max();
    while (!(process->ended() && process->silent()) && Clock::now() < patience) {
      std::vector<struct pollfd> all;
      process->watch(all);
      poll(all.data(), all.size(), static_cast<int>(TICK.count()));
      process->work(answer);
      if (process->ended() && patience == Clock::time_point::max()) {
        patience = Clock::now() + LINGER;
      }
      if (answer.size() > MOST && killed.empty()) {
        killed = "its answer is longer than " + std::to_string(MOST) + " bytes";
      } else if (!process->ended() && killed.empty()) {
        const std::string why = Clock::now() >= deadline ? "its time is over" : ended();
        killed = why.empty() ? "" : "it was killed: " + why;
      }
      if (!killed.empty()) {
        process->kill_group();
        answer.clear();
      }
    }
    const std::string status = process->finish();
    if (!killed.empty() || !status.empty()) {
      throw failure(step, command, killed.empty() ? status : killed, process->complaint());
    }
    return answer;
  }

 private:
  static const size_t MOST = 1 << 20;

  // Why the call has ended that the daemon makes on this thread; nothing if it has not.
  static std::string ended() {
    const mesos::Context context = mesos::Context::current();
    if (context.has_deadline() && std::chrono::system_clock::now() >= context.deadline()) {
      return "context deadline exceeded";
    }
    return context.cancelled() ? "context canceled" : "";
  }

  // One of the places for what runs at once.
  class Turn {
   public:
    Turn(Runner& runner, const std::string& step, const Command& command) : runner_(runner) {
      std::unique_lock<std::mutex> lock(runner_.mutex_);
      while (runner_.free_ == 0) {
        runner_.changed_.wait_for(lock, TICK);
        const std::string why = ended();
        if (!why.empty()) {
          throw failure(step, command, "it was not started: " + why, "");
        }
      }
      runner_.free_--;
    }
    ~Turn() {
      const std::lock_guard<std::mutex> lock(runner_.mutex_);
      runner_.free_++;
      runner_.changed_.notify_one();
    }

   private:
    Runner& runner_;
  };

  const std::chrono::nanoseconds timeout_;
  std::mutex mutex_;
  std::condition_variable changed_;
  long free_;
};

}  // namespace
}  // namespace command

#endif
