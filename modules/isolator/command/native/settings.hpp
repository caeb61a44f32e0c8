// What the parameters of the command isolator come to.
#ifndef MESOS_MODULES_COMMAND_SETTINGS_HPP
#define MESOS_MODULES_COMMAND_SETTINGS_HPP

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "process.hpp"

namespace command {
namespace {

const char* const STEPS[] = {"recover", "prepare", "isolate", "watch", "update", "usage", "status", "cleanup"};

inline std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    all.push_back(word);
  }
  return all;
}

// What is wrong with a program, or nothing.
inline std::string runnable(const std::string& path) {
  struct stat info;
  if (path[0] != '/') {
    return '"' + path + "\" is no absolute path of a program";
  }
  if (stat(path.c_str(), &info) != 0) {
    return "stat " + path + ": " + reason(errno);
  }
  return S_ISREG(info.st_mode) && (info.st_mode & 0111) != 0 ? "" : path + " is no file that can be executed";
}

// Reads a time in Mesos' notation, which the daemon has found to be one.
inline std::chrono::nanoseconds duration(const std::string& text) {
  static const struct {
    const char* unit;
    double nanoseconds;
  } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"secs", 1e9}, {"mins", 60e9}, {"hrs", 3600e9}, {"days", 86400e9}, {"weeks", 604800e9}};
  char* unit;
  const double number = std::strtod(text.c_str(), &unit);
  for (const auto& one : units) {
    if (std::strcmp(unit, one.unit) == 0 && number * one.nanoseconds < 9e18) {
      return std::chrono::nanoseconds(static_cast<long long>(number * one.nanoseconds));
    }
  }
  throw mesos::Error('"' + text + "\" is no time, as 15secs is one");
}

// What the parameters come to.
struct Settings {
  std::map<std::string, std::vector<std::string>> programs;  // by step, as words
  std::vector<std::string> environment;
  std::chrono::nanoseconds timeout;
  long parallel;
  bool nested;
  Credential credential;
};

// What every program gets: the named variables that the agent has.
inline std::vector<std::string> environment_of(const std::string& names) {
  std::vector<std::string> all = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  std::istringstream in(names);
  for (std::string name; std::getline(in, name, ',');) {
    const std::vector<std::string> trimmed = words(name);
    const char* value = trimmed.empty() ? nullptr : std::getenv(trimmed[0].c_str());
    if (value == nullptr) {
      continue;
    }
    if (trimmed[0] == "PATH") {
      all[0] = std::string("PATH=") + value;
    } else {
      all.push_back(trimmed[0] + "=" + value);
    }
  }
  return all;
}

// Finds fault with all parameters at once.
inline Settings settings_of(const mesos::Parameters& parameters) {
  Settings s;
  std::string problems;
  const auto problem = [&problems](const std::string& text) { problems += (problems.empty() ? "" : "\n") + text; };
  for (const char* step : STEPS) {
    const std::vector<std::string> program = words(parameters.get(step));
    if (program.empty()) {
      continue;
    }
    const std::string wrong = runnable(program[0]);
    if (!wrong.empty()) {
      problem(std::string("parameter ") + step + ": " + wrong);
    }
    s.programs[step] = program;
  }
  if (s.programs.empty()) {
    problem("no step has a program: set prepare, watch or another one of them");
  }
  try {
    s.timeout = duration(parameters.get("timeout", "15secs"));
    if (s.timeout.count() <= 0) {
      problem("parameter timeout: " + parameters.get("timeout") + " is no time to run a program in");
    }
  } catch (const std::exception& x) {
    problem(std::string("parameter timeout: ") + x.what());
  }
  s.parallel = std::strtol(parameters.get("parallel", "16").c_str(), nullptr, 10);
  if (s.parallel < 1) {
    problem("parameter parallel: with " + std::to_string(s.parallel) + " at once no program would ever run");
  }
  s.nested = parameters.get("nested", "true") == "true";
  s.environment = environment_of(parameters.get("environment"));
  try {
    s.credential = credential_of(parameters.get("user"));
  } catch (const std::exception& x) {
    problem(std::string("parameter user: ") + x.what());
  }
  if (!problems.empty()) {
    throw mesos::Error(problems);
  }
  return s;
}

}  // namespace
}  // namespace command

#endif
