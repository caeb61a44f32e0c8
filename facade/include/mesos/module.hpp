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

#include <mesos/detail/api.hpp>
#include <mesos/detail/declare.hpp>
#include <mesos/detail/glue.hpp>
#include <mesos/module.h>

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
namespace modules {

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
