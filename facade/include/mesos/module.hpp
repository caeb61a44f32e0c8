// mesos/module.hpp: what a module author in C++ includes, together with the header of the role. Nothing to link: everything
// here is inline sugar over mesos/module.h. C++11 and later; exceptions and RTTI are used where they are on, and not needed.
//
// A library and a module:
//
//   #include <mesos/module.hpp>
//   #include <calculator.hpp>
//
//   MESOS_MODULE_LIBRARY()
//
//   class Adder : public Calculator { virtual int compute(char a, long b) { return a + b; } };
//
//   MESOS_MODULE(Calculator, org_example_adder) { return new Adder(); }
//
// The body gets `parameters` (mesos::Parameters) and `host` (mesos::Host). What else there is to say of a module stands
// between the name and the body, in any order, all of it optional:
//
//   MESOS_MODULE(Calculator, org_example_adder,
//                version("1.2.0"),
//                author("Ann Author", "ann@example.org"),
//                description("adds, and rounds"),
//                needs("org_example_base", ">=1.1 <2"),      // another module, with a semver constraint or without
//                needs_role("TestModule"),                   // any module of a role
//                uses("org_example_log"),                    // the same as needs, if it is loaded
//                conflicts("org_example_subtractor"),
//                after("org_example_first"),                 // a module or a role; order only
//                parameter("digits", "int").standard("2").doc("digits after the point"),
//                parameter("token", "string").required().secret(),
//                parameter("host", "string").repeated())
//   {
//     return new Adder(parameters.get("digits", "2"), host);
//   }
//
// Types of parameters: string, bool, int, uint, float, duration (5secs), bytes (64MB). no_parameters() says that the module
// takes none; without a word about parameters, every key is passed on unchecked.
//
// By default a module runs only in the Mesos release it was compiled for. This opens it to later ones, as far as the table of
// role versions allows; it may stand before or behind the module, or in another file of the library, and has the last word:
//
//   MESOS_MODULE_COMPATIBLE(org_example_adder) { return true; }
//
// Its body gets `view` (mesos::View): the other libraries and modules and their versions. Returning false keeps the module out;
// mesos::fail("why") says why.
//
// The object form, as upstream's guide has it:
//
//   static TestModule* create(const mesos::Parameters& parameters) { return new Hello(); }
//   mesos::modules::Module<TestModule> org_example_hello(
//       MESOS_MODULE_API_VERSION, MESOS_VERSION, "Ann Author", "ann@example.org", "says hello", compatible, create);
//
// compatible is a bool() or NULL; create takes parameters or nothing, and may be a lambda that captures nothing. Prefer a
// function before C++17: the lambda's address is then known only when the library is opened. With -fvisibility=hidden write
// MESOS_EXPORT in front. The host is parameters.host().
//
// To fail, throw anything derived from std::exception, mesos::Error for one; without exceptions, or if you like it better, say
// mesos::fail("reason") and return any value.
//
// A method that takes long asks mesos::Context::current() whether anybody still waits for it, which keeps signatures as short as
// the example's. An Anonymous module may stay in run() until mesos::Context::current().cancelled(), on a thread of the daemon's.
#ifndef MESOS_MODULE_HPP
#define MESOS_MODULE_HPP

#include <mesos/module.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static_assert(sizeof(long) == 8 && sizeof(int) == 4, "Mesos modules need an LP64 platform");

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define MESOS_TRY_ try
#define MESOS_CATCH_(action_)                                                                                    \
  catch (const std::exception& x) { ::mesos::fail(x.what()); action_; }                                          \
  catch (...) { ::mesos::fail("threw something that is no std::exception"); action_; }
#else
#define MESOS_TRY_
#define MESOS_CATCH_(action_)
#endif

// Lets the compiler refuse a descriptor that would be filled at run time.
#if defined(__clang__)
#define MESOS_CONSTANT_ __attribute__((require_constant_initialization))
#elif __GNUC__ >= 10
#define MESOS_CONSTANT_ __constinit
#else
#define MESOS_CONSTANT_
#endif

// Every file leaves this mark; mesos/module.h says what for.
extern "C" {
extern const mesos_library mesos_module_header __attribute__((weak, visibility("default")));
const mesos_library mesos_module_header = {MESOS_HEADER_MAGIC, sizeof(mesos_library), 0, MESOS_MODULE_API_VERSION,
                                           MESOS_VERSION, MESOS_MODULE_MIN_MESOS, MESOS_MODULE_COMPILER};
}

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

// The words that describe a module between its name and its body.
namespace declare {

struct MESOS_HIDDEN Text {
  enum Field { VERSION, DESCRIPTION };
  Field field;
  const char* text;
};
struct MESOS_HIDDEN Author {
  const char* name;
  const char* email;
};
struct MESOS_HIDDEN Requirement {
  mesos_requirement raw;
};
struct MESOS_HIDDEN NoParameters {};
struct MESOS_HIDDEN End {};

struct MESOS_HIDDEN ParameterSpec {
  mesos_parameter_spec raw;

  constexpr ParameterSpec required() const { return with(MESOS_PARAMETER_REQUIRED); }
  constexpr ParameterSpec secret() const { return with(MESOS_PARAMETER_SECRET); }
  constexpr ParameterSpec repeated() const { return with(MESOS_PARAMETER_REPEATED); }
  constexpr ParameterSpec standard(const char* value) const {
    return ParameterSpec{{raw.flags, 0, raw.key, raw.type, value, raw.doc}};
  }
  constexpr ParameterSpec doc(const char* text) const {
    return ParameterSpec{{raw.flags, 0, raw.key, raw.type, raw.default_value, text}};
  }
  constexpr ParameterSpec with(int flag) const {
    return ParameterSpec{{raw.flags | static_cast<uint32_t>(flag), 0, raw.key, raw.type, raw.default_value, raw.doc}};
  }
};

MESOS_HIDDEN constexpr Text version(const char* text) { return Text{Text::VERSION, text}; }
MESOS_HIDDEN constexpr Text description(const char* text) { return Text{Text::DESCRIPTION, text}; }
MESOS_HIDDEN constexpr Author author(const char* name, const char* email = "") { return Author{name, email}; }
MESOS_HIDDEN constexpr Requirement needs(const char* module, const char* constraint = "") {
  return Requirement{{MESOS_REQUIRES_MODULE, 0, module, constraint}};
}
MESOS_HIDDEN constexpr Requirement needs_role(const char* role, const char* constraint = "") {
  return Requirement{{MESOS_REQUIRES_ROLE, 0, role, constraint}};
}
MESOS_HIDDEN constexpr Requirement uses(const char* module, const char* constraint = "") {
  return Requirement{{MESOS_REQUIRES_OPTIONAL, 0, module, constraint}};
}
MESOS_HIDDEN constexpr Requirement conflicts(const char* module, const char* constraint = "") {
  return Requirement{{MESOS_CONFLICTS, 0, module, constraint}};
}
MESOS_HIDDEN constexpr Requirement after(const char* target) { return Requirement{{MESOS_AFTER, 0, target, ""}}; }
MESOS_HIDDEN constexpr ParameterSpec parameter(const char* key, const char* type = "string") {
  return ParameterSpec{{0, 0, key, type, nullptr, nullptr}};
}
MESOS_HIDDEN constexpr NoParameters no_parameters() { return NoParameters{}; }

}  // namespace declare

namespace modules {

// Specialised by every role's header: name() and table().
template <typename T>
struct Role;

// What create hands out: the role's table in front, as every object has it.
template <typename T>
struct MESOS_HIDDEN Object {
  const mesos_role_table* table;
  T* instance;
};

// What the daemon calls, for both forms. Nothing thrown gets out.
template <typename T>
struct MESOS_HIDDEN Glue {
  typedef T* (*Make)(const Parameters&, const Host&);

  template <typename F>
  static void* create(F make, const mesos_context* context, const mesos_host* host, const mesos_parameters* parameters,
                      mesos_error* error) {
    Call call(context, error);
    MESOS_TRY_ {
      Host h(host);
      T* instance = make(Parameters(parameters, h), h);
      if (call.failed) {
        delete instance;
        return nullptr;
      }
      if (instance == nullptr) {
        fail("create returned null");
        return nullptr;
      }
      Object<T>* object = new (std::nothrow) Object<T>();
      if (object == nullptr) {
        delete instance;
        fail("out of memory");
        return nullptr;
      }
      object->table = Role<T>::table();
      object->instance = instance;
      return object;
    }
    MESOS_CATCH_(return nullptr)
  }

  template <Make make>
  static void* create_by(const mesos_module*, const mesos_context* context, const mesos_host* host,
                         const mesos_parameters* parameters, mesos_error* error) {
    return create(make, context, host, parameters, error);
  }

  static int32_t destroy(const mesos_module*, const mesos_context* context, void* object, mesos_error* error) {
    Call call(context, error);
    Object<T>* o = static_cast<Object<T>*>(object);
    T* instance = o->instance;
    delete o;
    MESOS_TRY_ { delete instance; }
    MESOS_CATCH_(return 1)
    return call.failed ? 1 : 0;
  }
};

// The module's own check, for both forms.
template <typename F>
MESOS_HIDDEN int32_t admit(F check, const mesos_view* view, mesos_error* error) {
  Call call(nullptr, error);
  MESOS_TRY_ {
    if (check(View(view)) && !call.failed) {
      return 0;
    }
    if (!call.failed) {
      fail("the module's own check says no");
    }
    return 1;
  }
  MESOS_CATCH_(return 1)
}

// A method's body. body gets the instance.
template <typename T, typename F>
MESOS_HIDDEN int32_t call_method(void* object, const mesos_context* context, mesos_error* error, F body) {
  Call call(context, error);
  MESOS_TRY_ {
    body(*static_cast<Object<T>*>(object)->instance);
    return call.failed ? 1 : 0;
  }
  MESOS_CATCH_(return 1)
}

// Arguments as the class of a role wants them, and results as the daemon does.
MESOS_HIDDEN inline std::string taken(const mesos_bytes& bytes) {
  return bytes.size == 0 ? std::string() : std::string(static_cast<const char*>(bytes.data), bytes.size);
}
template <typename T>
MESOS_HIDDEN std::vector<T> taken(const mesos_bytes* all, size_t count) {
  std::vector<T> list;
  for (size_t i = 0; i < count; i++) {
    list.push_back(taken(all[i]));
  }
  return list;
}
template <typename T, typename W>
MESOS_HIDDEN std::vector<T> taken(const W* all, size_t count) {
  return std::vector<T>(all, all + count);
}
MESOS_HIDDEN inline void give(mesos_sink* sink, const std::string& text) { sink->write(sink, text.data(), text.size()); }
MESOS_HIDDEN inline void give(mesos_sink* sink, const std::vector<std::string>& all) {
  for (size_t i = 0; i < all.size(); i++) {
    give(sink, all[i]);
  }
}
template <typename T>
MESOS_HIDDEN void give(mesos_sink* sink, const std::vector<T>& all) {
  for (size_t i = 0; i < all.size(); i++) {
    const T value = all[i];
    sink->write(sink, &value, sizeof value);
  }
}

// What the words between name and body amount to, R requirements and P parameters, as a constant.
template <size_t R, size_t P>
struct MESOS_HIDDEN Description {
  const char* version;
  const char* author;
  const char* email;
  const char* description;
  bool schema;
  mesos_requirement requirements[R + 1];  // one more than used: an array of none is not C++
  mesos_parameter_spec parameters[P + 1];
};

// Walks the words at compile time; the recursion ends at declare::End.
template <typename... Words>
struct Words_;
template <>
struct MESOS_HIDDEN Words_<declare::End> {
  static constexpr size_t requirements = 0, parameters = 0;
  static constexpr bool schema = false;
};
template <typename W, typename... Rest>
struct MESOS_HIDDEN Words_<W, Rest...> {
  static constexpr size_t requirements = Words_<Rest...>::requirements, parameters = Words_<Rest...>::parameters;
  static constexpr bool schema = Words_<Rest...>::schema;
};
template <typename... Rest>
struct MESOS_HIDDEN Words_<declare::Requirement, Rest...> {
  static constexpr size_t requirements = 1 + Words_<Rest...>::requirements, parameters = Words_<Rest...>::parameters;
  static constexpr bool schema = Words_<Rest...>::schema;
};
template <typename... Rest>
struct MESOS_HIDDEN Words_<declare::ParameterSpec, Rest...> {
  static constexpr size_t requirements = Words_<Rest...>::requirements, parameters = 1 + Words_<Rest...>::parameters;
  static constexpr bool schema = true;
};
template <typename... Rest>
struct MESOS_HIDDEN Words_<declare::NoParameters, Rest...> {
  static constexpr size_t requirements = Words_<Rest...>::requirements, parameters = Words_<Rest...>::parameters;
  static constexpr bool schema = true;
};

// The overloads for one word are declared before those for any word: a template sees only what stands before it.
MESOS_HIDDEN constexpr const char* text_of(declare::Text::Field, declare::End) { return ""; }
template <typename... Rest>
MESOS_HIDDEN constexpr const char* text_of(declare::Text::Field field, declare::Text word, Rest... rest);
template <typename W, typename... Rest>
MESOS_HIDDEN constexpr const char* text_of(declare::Text::Field field, W, Rest... rest) { return text_of(field, rest...); }
template <typename... Rest>
MESOS_HIDDEN constexpr const char* text_of(declare::Text::Field field, declare::Text word, Rest... rest) {
  return word.field == field ? word.text : text_of(field, rest...);
}

MESOS_HIDDEN constexpr declare::Author author_of(declare::End) { return declare::Author{"", ""}; }
template <typename... Rest>
MESOS_HIDDEN constexpr declare::Author author_of(declare::Author word, Rest...) { return word; }
template <typename W, typename... Rest>
MESOS_HIDDEN constexpr declare::Author author_of(W, Rest... rest) { return author_of(rest...); }

MESOS_HIDDEN constexpr mesos_requirement requirement_at(size_t, declare::End) { return mesos_requirement{0, 0, nullptr, nullptr}; }
template <typename... Rest>
MESOS_HIDDEN constexpr mesos_requirement requirement_at(size_t i, declare::Requirement word, Rest... rest);
template <typename W, typename... Rest>
MESOS_HIDDEN constexpr mesos_requirement requirement_at(size_t i, W, Rest... rest) { return requirement_at(i, rest...); }
template <typename... Rest>
MESOS_HIDDEN constexpr mesos_requirement requirement_at(size_t i, declare::Requirement word, Rest... rest) {
  return i == 0 ? word.raw : requirement_at(i - 1, rest...);
}

MESOS_HIDDEN constexpr mesos_parameter_spec parameter_at(size_t, declare::End) {
  return mesos_parameter_spec{0, 0, nullptr, nullptr, nullptr, nullptr};
}
template <typename... Rest>
MESOS_HIDDEN constexpr mesos_parameter_spec parameter_at(size_t i, declare::ParameterSpec word, Rest... rest);
template <typename W, typename... Rest>
MESOS_HIDDEN constexpr mesos_parameter_spec parameter_at(size_t i, W, Rest... rest) { return parameter_at(i, rest...); }
template <typename... Rest>
MESOS_HIDDEN constexpr mesos_parameter_spec parameter_at(size_t i, declare::ParameterSpec word, Rest... rest) {
  return i == 0 ? word.raw : parameter_at(i - 1, rest...);
}

template <size_t... I>
struct MESOS_HIDDEN Indices {};
template <size_t N, size_t... I>
struct MESOS_HIDDEN Count : Count<N - 1, N - 1, I...> {};
template <size_t... I>
struct MESOS_HIDDEN Count<0, I...> {
  typedef Indices<I...> type;
};

template <size_t... R, size_t... P, typename... Words>
MESOS_HIDDEN constexpr Description<sizeof...(R) - 1, sizeof...(P) - 1> gather(Indices<R...>, Indices<P...>, Words... words) {
  return Description<sizeof...(R) - 1, sizeof...(P) - 1>{
      text_of(declare::Text::VERSION, words...), author_of(words...).name,      author_of(words...).email,
      text_of(declare::Text::DESCRIPTION, words...), Words_<Words...>::schema, {requirement_at(R, words...)...},
      {parameter_at(P, words...)...}};
}

template <typename... Words>
MESOS_HIDDEN constexpr Description<Words_<Words...>::requirements, Words_<Words...>::parameters> describe(Words... words) {
  return gather(typename Count<Words_<Words...>::requirements + 1>::type(),
                typename Count<Words_<Words...>::parameters + 1>::type(), words...);
}

// Upstream's object form. The descriptor is its first part, and all of its size: the fields behind it are read by the functions
// here alone. constexpr, so that the linker fills it wherever the arguments are constants.
template <typename T>
struct Module : mesos_module {
  typedef T* (*Create)(const Parameters&);
  typedef T* (*CreateOfNothing)();

  constexpr Module(const char* mms_version_, const char* mesos_version_, const char* author_, const char* email_,
                   const char* description_, bool (*compatible_)(), Create create_)
      : mesos_module(head(mms_version_, mesos_version_, author_, email_, description_, compatible_)),
        check(compatible_), make(create_), make_of_nothing(nullptr) {}

  constexpr Module(const char* mms_version_, const char* mesos_version_, const char* author_, const char* email_,
                   const char* description_, bool (*compatible_)(), CreateOfNothing create_)
      : mesos_module(head(mms_version_, mesos_version_, author_, email_, description_, compatible_)),
        check(compatible_), make(nullptr), make_of_nothing(create_) {}

  bool (*check)();
  Create make;
  CreateOfNothing make_of_nothing;

 private:
  struct MESOS_HIDDEN Entry {
    static int32_t compatible(const mesos_module* self, const mesos_view* view, mesos_error* error) {
      const Module* m = static_cast<const Module*>(self);
      return admit([m](const View&) { return m->check(); }, view, error);
    }
    static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host,
                        const mesos_parameters* parameters, mesos_error* error) {
      const Module* m = static_cast<const Module*>(self);
      return Glue<T>::create(
          [m](const Parameters& p, const Host&) { return m->make != nullptr ? m->make(p) : m->make_of_nothing(); }, context, host,
          parameters, error);
    }
  };

  static constexpr mesos_module head(const char* mms_version_, const char* mesos_version_, const char* author_,
                                     const char* email_, const char* description_, bool (*compatible_)()) {
    return mesos_module{MESOS_MODULE_MAGIC, sizeof(mesos_module), 0, nullptr, mms_version_, mesos_version_, Role<T>::name(), "",
                        author_, email_, description_, nullptr, 0, sizeof(mesos_requirement), nullptr, 0,
                        sizeof(mesos_parameter_spec), compatible_ == nullptr ? nullptr : &Entry::compatible, &Entry::create,
                        &Glue<T>::destroy};
  }
};

}  // namespace modules
}  // namespace mesos

// Upstream's guide writes them without their namespace.
#ifndef MESOS_NO_GLOBAL_NAMES
using ::mesos::Parameter;
using ::mesos::Parameters;
#endif

// What both macros below say about one function: weak, so that a module without a check has a null pointer in its place,
// whichever of the two stands first, and hidden, so that the linker knows.
#define MESOS_MODULE_CHECK_(name_)                                                                               \
  extern "C" MESOS_HIDDEN int32_t mesos_module_check_##name_(const mesos_module*, const mesos_view*, mesos_error*) \
      __attribute__((weak));                                                                                     \
  extern "C" {                                                                                                   \
  extern MESOS_EXPORT const mesos_module mesos_module_##name_;                                                   \
  }

#define MESOS_MODULE_COMPATIBLE(name_)                                                                           \
  MESOS_MODULE_CHECK_(name_)                                                                                     \
  static bool mesos_module_answer_##name_(const ::mesos::View&);                                                 \
  extern "C" int32_t mesos_module_check_##name_(const mesos_module*, const mesos_view* view, mesos_error* error) { \
    return ::mesos::modules::admit(mesos_module_answer_##name_, view, error);                                    \
  }                                                                                                              \
  /* A check of a module that does not exist keeps the library from opening, instead of being forgotten. */      \
  static const mesos_module* const mesos_module_checked_##name_ __attribute__((used)) = &mesos_module_##name_;   \
  static bool mesos_module_answer_##name_(const ::mesos::View& view __attribute__((unused)))

#define MESOS_MODULE(Role_, ...)                                                                                 \
  MESOS_MODULE_1_(Role_, MESOS_FIRST_(__VA_ARGS__, 0), MESOS_REST_(__VA_ARGS__, ::mesos::declare::End()))
#define MESOS_FIRST_(first_, ...) first_
#define MESOS_REST_(first_, ...) __VA_ARGS__
#define MESOS_MODULE_1_(Role_, name_, ...) MESOS_MODULE_2_(Role_, name_, __VA_ARGS__)
#define MESOS_MODULE_2_(Role_, name_, ...)                                                                       \
  MESOS_MODULE_CHECK_(name_)                                                                                     \
  static Role_* mesos_module_make_##name_(const ::mesos::Parameters&, const ::mesos::Host&);                     \
  namespace mesos_module_words_##name_ {                                                                         \
  using ::mesos::declare::version;                                                                               \
  using ::mesos::declare::author;                                                                                \
  using ::mesos::declare::description;                                                                           \
  using ::mesos::declare::needs;                                                                                 \
  using ::mesos::declare::needs_role;                                                                            \
  using ::mesos::declare::uses;                                                                                  \
  using ::mesos::declare::conflicts;                                                                             \
  using ::mesos::declare::after;                                                                                 \
  using ::mesos::declare::parameter;                                                                             \
  using ::mesos::declare::no_parameters;                                                                         \
  static constexpr auto all = ::mesos::modules::describe(__VA_ARGS__);                                           \
  }                                                                                                              \
  extern "C" {                                                                                                   \
  MESOS_CONSTANT_ const mesos_module mesos_module_##name_ = {                                                    \
      MESOS_MODULE_MAGIC, sizeof(mesos_module), 0, #name_, MESOS_MODULE_API_VERSION, MESOS_VERSION,              \
      ::mesos::modules::Role<Role_>::name(), mesos_module_words_##name_::all.version,                            \
      mesos_module_words_##name_::all.author, mesos_module_words_##name_::all.email,                             \
      mesos_module_words_##name_::all.description, mesos_module_words_##name_::all.requirements,                 \
      sizeof(mesos_module_words_##name_::all.requirements) / sizeof(mesos_requirement) - 1,                      \
      sizeof(mesos_requirement),                                                                                 \
      mesos_module_words_##name_::all.schema ? mesos_module_words_##name_::all.parameters : nullptr,             \
      sizeof(mesos_module_words_##name_::all.parameters) / sizeof(mesos_parameter_spec) - 1,                     \
      sizeof(mesos_parameter_spec), &mesos_module_check_##name_,                                                 \
      &::mesos::modules::Glue<Role_>::create_by<&mesos_module_make_##name_>,                                     \
      &::mesos::modules::Glue<Role_>::destroy};                                                                  \
  }                                                                                                              \
  static Role_* mesos_module_make_##name_(const ::mesos::Parameters& parameters __attribute__((unused)),         \
                                          const ::mesos::Host& host __attribute__((unused)))

#endif
