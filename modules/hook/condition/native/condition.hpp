// What hooks in C++ that decorate by their parameters have in common: which tasks and executors they decorate, and with what.
#ifndef MESOS_MODULES_CONDITION_HPP
#define MESOS_MODULES_CONDITION_HPP

#include <mesos/module.hpp>
#include <mesos/v1/mesos.hpp>

#include <set>
#include <string>
#include <vector>

namespace condition {
namespace {

// What is wrong with the parameters, all of it.
class Problems {
 public:
  void add(const std::string& problem) { text_ += (text_.empty() ? "" : "\n") + problem; }

  // Fails if there is any.
  void report() const {
    if (!text_.empty()) {
      throw mesos::Error(text_);
    }
  }

 private:
  std::string text_;
};

inline std::string quoted(const std::string& text) { return '"' + text + '"'; }

inline std::vector<std::string> values(const mesos::Parameters& parameters, const std::string& key) {
  std::vector<std::string> all;
  for (const mesos::Parameter& parameter : parameters) {
    if (parameter.key() == key) {
      all.push_back(parameter.value());
    }
  }
  return all;
}

// Texts in which * stands for any number of any characters, of which one has to match; without any, everything does.
class Patterns {
 public:
  Patterns(const mesos::Parameters& parameters, const std::string& key, Problems& problems) : all_(values(parameters, key)) {
    for (const std::string& pattern : all_) {
      if (pattern.empty()) {
        problems.add("parameter " + key + " is empty: write a name, in which * stands for any characters");
      }
    }
  }

  bool match(const std::string& name) const {
    for (const std::string& pattern : all_) {
      if (like(pattern, name)) {
        return true;
      }
    }
    return all_.empty();
  }

  // The same of the role that resources are allocated to. Resources without one have no role, which is like no pattern.
  bool match_role(const std::vector<mesos::v1::Resource>& resources) const {
    for (const mesos::v1::Resource& resource : resources) {
      if (resource.allocation_info && resource.allocation_info->role) {
        return match(*resource.allocation_info->role);
      }
    }
    return all_.empty();
  }

 private:
  // Compares from left to right; where that fails, the star before stretches by one.
  static bool like(const std::string& pattern, const std::string& name) {
    size_t p = 0, n = 0, star = std::string::npos, stretched = 0;
    while (n < name.size()) {
      if (p < pattern.size() && pattern[p] == '*') {
        star = p++;
        stretched = n;
      } else if (p < pattern.size() && pattern[p] == name[n]) {
        p++;
        n++;
      } else if (star != std::string::npos) {
        p = star + 1;
        n = ++stretched;
      } else {
        return false;
      }
    }
    while (p < pattern.size() && pattern[p] == '*') {
      p++;
    }
    return p == pattern.size();
  }

  std::vector<std::string> all_;
};

struct Pair {
  std::string key, value;
};

// Reads the key=value texts of a parameter; check says what is wrong with a key, or nothing.
inline std::vector<Pair> pairs(const mesos::Parameters& parameters, const std::string& parameter,
                               std::string (*check)(const std::string& key), Problems& problems) {
  std::vector<Pair> all;
  for (const std::string& text : values(parameters, parameter)) {
    const size_t at = text.find('=');
    const std::string key = text.substr(0, at);
    const std::string problem = at == std::string::npos ? "there is no = in it" : check(key);
    if (!problem.empty()) {
      problems.add("parameter " + parameter + ": " + quoted(text) + ": " + problem);
      continue;
    }
    all.push_back(Pair{key, text.substr(at + 1)});
  }
  return all;
}

// Finds fault with every key that is named again.
inline void unique(const std::vector<std::string>& keys, Problems& problems) {
  std::set<std::string> seen;
  for (const std::string& key : keys) {
    if (!seen.insert(key).second) {
      problems.add(quoted(key) + " is named more than once");
    }
  }
}

// Makes one element of those of a key, in the place of the first, or puts it at the end. T says how its elements are made and
// compared. Returns whether anything changed.
template <typename T, typename E>
bool set(std::vector<E>& all, const Pair& want) {
  std::vector<E> made;
  bool there = false, changed = false;
  for (const E& element : all) {
    if (T::key(element) != want.key) {
      made.push_back(element);
    } else if (there) {
      changed = true;
    } else {
      there = true;
      const bool so = T::is(element, want.value);
      made.push_back(so ? element : T::make(want));
      changed = changed || !so;
    }
  }
  if (!there) {
    made.push_back(T::make(want));
    changed = true;
  }
  all = made;
  return changed;
}

// Puts an element at the end if there is none of its key. Returns whether that was so.
template <typename T, typename E>
bool add(std::vector<E>& all, const Pair& want) {
  for (const E& element : all) {
    if (T::key(element) == want.key) {
      return false;
    }
  }
  all.push_back(T::make(want));
  return true;
}

}  // namespace
}  // namespace condition

#endif
