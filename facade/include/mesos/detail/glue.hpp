// Part of mesos/module.hpp: what the daemon calls, on its way to what the author wrote. Nothing thrown gets out.
#ifndef MESOS_DETAIL_GLUE_HPP
#define MESOS_DETAIL_GLUE_HPP

#include <mesos/detail/api.hpp>

#include <exception>
#include <new>
#include <type_traits>

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define MESOS_TRY_ try
#define MESOS_CATCH_(action_)                                                                                    \
  catch (const std::exception& x) { ::mesos::fail(x.what()); action_; }                                          \
  catch (...) { ::mesos::fail("threw something that is no std::exception"); action_; }
#else
#define MESOS_TRY_
#define MESOS_CATCH_(action_)
#endif

namespace mesos {
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
MESOS_HIDDEN typename std::enable_if<std::is_scalar<T>::value>::type give(mesos_sink* sink, const std::vector<T>& all) {
  for (size_t i = 0; i < all.size(); i++) {
    const T value = all[i];
    sink->write(sink, &value, sizeof value);
  }
}

}  // namespace modules
}  // namespace mesos

#endif
