// Part of mesos/module.hpp: what modules see of the daemon.
#ifndef MESOS_DETAIL_API_HPP
#define MESOS_DETAIL_API_HPP

#include <mesos/module.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

static_assert(sizeof(long) == 8 && sizeof(int) == 4, "Mesos modules need an LP64 platform");

namespace mesos {

// Thrown by modules to fail with a reason. Any other std::exception does as well.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& reason) : std::runtime_error(reason) {}
};

namespace modules {

// One call from the daemon, on the stack of the thread that makes it.
struct MESOS_HIDDEN Call {
  Call(const mesos_context* context_, mesos_error* error_)
      : context(context_), error(error_), failed(false), outer(current()) { current() = this; }
  ~Call() { current() = outer; }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Hidden, so that two libraries with headers of different age do not share it; without a destructor, so that it does not
  // keep a library from being closed.
  static Call*& current() {
    static thread_local Call* call = nullptr;
    return call;
  }

  const mesos_context* context;
  mesos_error* error;
  bool failed;
  Call* outer;
};

}  // namespace modules

// Makes the call that is under way fail with a reason, once it returns; its result is then ignored. Without effect on a
// thread that the daemon has not called.
MESOS_HIDDEN inline void fail(const char* reason) {
  modules::Call* call = modules::Call::current();
  if (call != nullptr) {
    call->failed = true;
    mesos_fail(call->error, "%s", reason);
  }
}
MESOS_HIDDEN inline void fail(const std::string& reason) { fail(reason.c_str()); }

// Cancel and deadline of a call. A value to copy, also to threads the call starts; valid until the call returns, and the
// lifetime as long as the instance.
class Context {
 public:
  Context() : context_(nullptr) {}
  explicit Context(const mesos_context* context) : context_(context) {}

  // The context of the call that the daemon is making on this thread; one that never ends if there is none.
  static Context current() {
    const modules::Call* call = modules::Call::current();
    return Context(call == nullptr ? nullptr : call->context);
  }

  bool cancelled() const { return mesos_cancelled(context_) != 0; }
  bool has_deadline() const { return context_ != nullptr && context_->deadline_ns != 0; }

  // The latest time there is if there is no deadline.
  std::chrono::system_clock::time_point deadline() const {
    typedef std::chrono::system_clock clock;
    return has_deadline() ? clock::time_point(std::chrono::duration_cast<clock::duration>(std::chrono::nanoseconds(context_->deadline_ns)))
                          : (clock::time_point::max)();
  }

 private:
  const mesos_context* context_;
};

// A module that is loaded, as a view shows it.
struct ModuleInfo {
  std::string name;
  std::string role;
  std::string version;        // empty if it declares none
  std::string library;        // a path; empty for what is built into the daemon
  std::string mesos_version;  // of its library
};

// What else is loaded. Valid during the call that gets it.
class View {
 public:
  explicit View(const mesos_view* view) : view_(view) {}

  // The release of the daemon.
  std::string mesos_version() const { return view_ == nullptr ? std::string() : text(view_->mesos_version); }

  // Sorted by name.
  std::vector<ModuleInfo> modules() const {
    std::vector<ModuleInfo> all;
    for (uint32_t i = 0; view_ != nullptr && i < view_->module_count; i++) {
      all.push_back(info(mesos_view_at(view_, i)));
    }
    return all;
  }

  // Whether a module of that name is loaded; if so, and if info is given, what it says of itself.
  bool find(const std::string& name, ModuleInfo* found = nullptr) const {
    for (uint32_t i = 0; view_ != nullptr && i < view_->module_count; i++) {
      const mesos_view_module* module = mesos_view_at(view_, i);
      if (name == module->name) {
        if (found != nullptr) {
          *found = info(module);
        }
        return true;
      }
    }
    return false;
  }

 private:
  static std::string text(const char* t) { return t == nullptr ? std::string() : std::string(t); }
  static ModuleInfo info(const mesos_view_module* module) {
    ModuleInfo i;
    i.name = text(module->name);
    i.role = text(module->role);
    i.version = text(module->version);
    i.library = text(module->library);
    i.mesos_version = text(module->mesos_version);
    return i;
  }

  const mesos_view* view_;
};

// What the daemon gives to an instance. A value to copy into it; valid as long as the instance lives, but for the view, which
// is valid during create.
class Host {
 public:
  Host() : host_(nullptr) {}
  explicit Host(const mesos_host* host) : host_(host) {}

  // Writes one line to the daemon's log. From any thread.
  void log(const std::string& text) const { mesos_log(host_, MESOS_LOG_INFO, text.c_str()); }
  void warn(const std::string& text) const { mesos_log(host_, MESOS_LOG_WARNING, text.c_str()); }
  void error(const std::string& text) const { mesos_log(host_, MESOS_LOG_ERROR, text.c_str()); }
  void debug(const std::string& text) const { mesos_log(host_, MESOS_LOG_DEBUG, text.c_str()); }

  // The module's name.
  std::string module() const { return host_ == nullptr || host_->module == nullptr ? "" : host_->module; }

  // A folder of the module's own that outlives the daemon; empty if there is none.
  std::string state_dir() const { return host_ == nullptr || host_->state_dir == nullptr ? "" : host_->state_dir; }

  // Cancelled when teardown begins.
  Context lifetime() const { return Context(host_ == nullptr ? nullptr : host_->lifetime); }

  View view() const { return View(host_ == nullptr ? nullptr : host_->view); }

 private:
  const mesos_host* host_;
};

// One key and value of the manifest, with the accessors of upstream's message.
class Parameter {
 public:
  Parameter(const char* key, const char* value) : key_(key), value_(value) {}
  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }
  bool has_key() const { return true; }
  bool has_value() const { return true; }

 private:
  std::string key_, value_;
};

// The parameters of the manifest, in their order; keys may repeat.
class Parameters {
 public:
  Parameters() {}
  explicit Parameters(const mesos_parameters* parameters, const Host& host = Host()) : host_(host) {
    for (uint32_t i = 0; parameters != nullptr && i < parameters->count; i++) {
      all_.push_back(Parameter(parameters->keys[i], parameters->values[i]));
    }
  }

  const std::vector<Parameter>& parameter() const { return all_; }
  const Parameter& parameter(int index) const { return all_[static_cast<size_t>(index)]; }
  int parameter_size() const { return static_cast<int>(all_.size()); }

  std::vector<Parameter>::const_iterator begin() const { return all_.begin(); }
  std::vector<Parameter>::const_iterator end() const { return all_.end(); }

  bool has(const std::string& key) const {
    for (size_t i = 0; i < all_.size(); i++) {
      if (all_[i].key() == key) {
        return true;
      }
    }
    return false;
  }

  // The first value of key, or otherwise.
  std::string get(const std::string& key, const std::string& otherwise = std::string()) const {
    for (size_t i = 0; i < all_.size(); i++) {
      if (all_[i].key() == key) {
        return all_[i].value();
      }
    }
    return otherwise;
  }

  // What the daemon gives to the instance: the way to it for a create that takes only parameters.
  const Host& host() const { return host_; }

 private:
  std::vector<Parameter> all_;
  Host host_;
};

}  // namespace mesos

#endif
