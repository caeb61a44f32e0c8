// A program of the operator: started as a process group of its own, fed and read without waiting, and gone when the agent is.
#ifndef MESOS_MODULES_COMMAND_PROCESS_HPP
#define MESOS_MODULES_COMMAND_PROCESS_HPP

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <mesos/module.hpp>

namespace command {
namespace {

// How much of its standard error becomes part of a failure.
const size_t KEPT = 2 << 10;

// What the system says of an error number, as it stands within a sentence.
inline std::string reason(int number) {
  std::string text = std::strerror(number);
  if (!text.empty()) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

// Who programs run as; empty: nobody else.
struct Credential {
  bool change = false;
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
};

// Finds a user by name or number.
inline Credential credential_of(const std::string& name) {
  Credential found;
  if (name.empty()) {
    return found;
  }
  struct passwd entry, *result = nullptr;
  std::vector<char> room(1 << 16);
  getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &result);
  if (result == nullptr && name.find_first_not_of("0123456789") == std::string::npos) {
    getpwuid_r(static_cast<uid_t>(std::strtoul(name.c_str(), nullptr, 10)), &entry, room.data(), room.size(), &result);
  }
  if (result == nullptr) {
    throw mesos::Error("there is no user \"" + name + "\"");
  }
  if (geteuid() != 0) {
    if (entry.pw_uid == geteuid()) {
      return found;
    }
    throw mesos::Error("the agent does not run as root, so it cannot run anything as \"" + name + "\"");
  }
  found.change = true;
  found.user = entry.pw_uid;
  found.group = entry.pw_gid;
  int count = 1 << 12;
  found.groups.resize(static_cast<size_t>(count));
  if (getgrouplist(entry.pw_name, entry.pw_gid, found.groups.data(), &count) < 0) {
    throw mesos::Error("the groups of user \"" + name + "\" are too many");
  }
  found.groups.resize(static_cast<size_t>(count));
  return found;
}

// An open file, closed at the end.
class File {
 public:
  File() : fd_(-1) {}
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() { close(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }

 private:
  int fd_;
};

struct Pipe {
  File read, write;

  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      throw mesos::Error("make a pipe: " + reason(errno));
    }
    read = File(ends[0]);
    write = File(ends[1]);
  }
};

// How to run a program.
struct Command {
  std::vector<std::string> words, environment;
  std::string document;
  const Credential* credential;
};

// A program that runs. Not for several threads at once.
class Process {
 public:
  // Starts it. The thread that calls this must outlive the program: the kernel kills what a thread has started with it.
  explicit Process(const Command& command) : document_(command.document) {
    Pipe in, out, err, failure;
    std::vector<char*> arguments = pointers(command.words), environment = pointers(command.environment);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);  // no handler of the agent runs in the child
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) {
      become(command, parent, in.read.get(), out.write.get(), err.write.get(), failure.write.get(), arguments.data(), environment.data());
    }
    const int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid_ < 0) {
      throw mesos::Error("fork: " + reason(failed));
    }
    failure.write.close();
    int number = 0;
    ssize_t got;
    do {
      got = read(failure.read.get(), &number, sizeof number);
    } while (got < 0 && errno == EINTR);
    if (got == sizeof number) {
      waitpid(pid_, nullptr, 0);
      throw mesos::Error("fork/exec " + command.words[0] + ": " + reason(number));
    }
    setpgid(pid_, pid_);  // in the child, too: whoever comes first
    for (const File* file : {&in.write, &out.read, &err.read}) {
      fcntl(file->get(), F_SETFL, O_NONBLOCK);
    }
    in_ = std::move(in.write);
    out_ = std::move(out.read);
    err_ = std::move(err.read);
    end_ = File(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));  // -1 on old kernels: the end is then found by looking
    feed();
  }

  ~Process() { finish(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Adds what is to be waited for.
  void watch(std::vector<struct pollfd>& all) const {
    const struct pollfd some[] = {{in_.get(), POLLOUT, 0}, {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {ended_ ? -1 : end_.get(), POLLIN, 0}};
    all.insert(all.end(), some, some + 4);
  }

  // Writes and reads what can be, and sees whether it has ended. What it says is added to out.
  void work(std::string& out) {
    feed();
    drain(out_, out);
    drain(err_, complaint_);
    if (complaint_.size() > KEPT) {
      complaint_.erase(0, complaint_.size() - KEPT);
    }
    siginfo_t info;
    std::memset(&info, 0, sizeof info);
    if (!ended_ && waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_) {
      ended_ = true;
      kill_group();
    }
  }

  // Whether the program itself has ended; others may hold its output open.
  bool ended() const { return ended_; }
  bool silent() const { return !out_.open() && !err_.open(); }

  void kill_group() const { kill(-pid_, SIGKILL); }

  // Ends it and everything in its group, and says how it ended: nothing if well.
  std::string finish() {
    if (pid_ <= 0) {
      return "";
    }
    kill_group();
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    if (WIFSIGNALED(status)) {
      std::string name = strsignal(WTERMSIG(status));
      name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
      return "signal: " + name;
    }
    return WEXITSTATUS(status) == 0 ? "" : "exit status " + std::to_string(WEXITSTATUS(status));
  }

  // The end of its standard error, fit for a log.
  std::string complaint() const {
    std::string text;
    for (const char c : complaint_) {
      const unsigned char byte = static_cast<unsigned char>(c);
      text += (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f ? ' ' : c;
    }
    const char* const space = " \t\n";
    const size_t first = text.find_first_not_of(space);
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(space) - first + 1);
  }

 private:
  static std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (const std::string& text : texts) {
      all.push_back(const_cast<char*>(text.c_str()));
    }
    all.push_back(nullptr);
    return all;
  }

  // The child, which may call nothing that takes a lock.
  [[noreturn]] static void become(const Command& command, pid_t parent, int in, int out, int err, int failure, char** arguments,
                                  char** environment) {
    for (int signal_number = 1; signal_number < NSIG; signal_number++) {
      signal(signal_number, SIG_DFL);
    }
    const bool good = setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && dup2(in, 0) >= 0 &&
                      dup2(out, 1) >= 0 && dup2(err, 2) >= 0 && chdir("/") == 0 && change(*command.credential);
    if (good) {
      const unsigned to_close_on_exec = 4;
      if (syscall(SYS_close_range, 3u, ~0u, to_close_on_exec) != 0) {
        for (int fd = 3; fd < 1 << 16; fd++) {
          fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
      }
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // another user has lost it
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      execve(arguments[0], arguments, environment);
    }
    const int number = errno;
    ssize_t written = write(failure, &number, sizeof number);
    (void)written;
    _exit(127);
  }

  // Without the C library, which would tell its other threads.
  static bool change(const Credential& to) {
    return !to.change || (syscall(SYS_setgroups, to.groups.size(), to.groups.data()) == 0 &&
                          syscall(SYS_setresgid, to.group, to.group, to.group) == 0 && syscall(SYS_setresuid, to.user, to.user, to.user) == 0);
  }

  // A program that does not read closes the pipe, for which the kernel has a signal: it is not for the agent.
  void feed() {
    if (!in_.open()) {
      return;
    }
    sigset_t broken, before, pending;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    while (fed_ < document_.size()) {
      const ssize_t n = write(in_.get(), document_.data() + fed_, document_.size() - fed_);
      if (n > 0) {
        fed_ += static_cast<size_t>(n);
      } else if (errno == EAGAIN) {
        break;
      } else if (errno != EINTR) {
        fed_ = document_.size();
        if (errno == EPIPE && !sigismember(&pending, SIGPIPE)) {
          const struct timespec now = {0, 0};
          sigtimedwait(&broken, nullptr, &now);
        }
      }
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (fed_ == document_.size()) {
      in_.close();
    }
  }

  // Reads what is there, but not for ever.
  static void drain(File& from, std::string& to) {
    char some[1 << 14];
    for (int round = 0; from.open() && round < 16; round++) {
      const ssize_t n = read(from.get(), some, sizeof some);
      if (n > 0) {
        to.append(some, static_cast<size_t>(n));
      } else if (n < 0 && errno == EINTR) {
        continue;
      } else if (n < 0 && errno == EAGAIN) {
        return;
      } else {
        from.close();
      }
    }
  }

  pid_t pid_ = 0;
  File in_, out_, err_, end_;
  const std::string document_;
  size_t fed_ = 0;
  bool ended_ = false;
  std::string complaint_;
};

}  // namespace
}  // namespace command

#endif
