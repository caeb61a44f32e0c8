// Part of mesos/module.hpp: values that may be absent.
#ifndef MESOS_DETAIL_OPTIONAL_HPP
#define MESOS_DETAIL_OPTIONAL_HPP

#include <string>
#include <type_traits>
#include <utility>

namespace mesos {

// API messages are kept beside the Optional, which then is one pointer, so that a message may contain itself and what is
// absent takes no room; numbers and texts are kept inside.
template <typename T>
struct OptionalIsBoxed
    : std::integral_constant<bool, std::is_class<T>::value && !std::is_same<T, std::string>::value> {};

// A value that may be absent, as std::optional has it from C++17 on. Copies are deep. value(), * and -> want it to be there.
//
//   mesos::Optional<int> limit = 3;
//   if (limit) { use(*limit); }
//   use(limit.value_or(1));
//   info.environment.ensure().variables.push_back(v);  // makes what is absent
template <typename T, bool boxed = OptionalIsBoxed<T>::value>
class Optional {
 public:
  Optional() : there_(false), value_() {}
  Optional(const T& value) : there_(true), value_(value) {}
  Optional(T&& value) : there_(true), value_(std::move(value)) {}
  template <typename U, typename = typename std::enable_if<std::is_convertible<U, T>::value>::type>
  Optional(const U& value) : there_(true), value_(value) {}

  bool has_value() const { return there_; }
  explicit operator bool() const { return there_; }
  const T& value() const { return value_; }
  T& value() { return value_; }
  const T& operator*() const { return value_; }
  T& operator*() { return value_; }
  const T* operator->() const { return &value_; }
  T* operator->() { return &value_; }
  T value_or(const T& otherwise) const { return there_ ? value_ : otherwise; }

  void reset() { *this = Optional(); }

  // The value, made first if it is absent.
  T& ensure() {
    there_ = true;
    return value_;
  }

 private:
  bool there_;
  T value_;
};

// A bare pointer, because every other kind costs the compiler a dozen functions for each of the messages.
template <typename T>
class Optional<T, true> {
 public:
  Optional() : value_(nullptr) {}
  Optional(const T& value) : value_(new T(value)) {}
  Optional(T&& value) : value_(new T(static_cast<T&&>(value))) {}
  Optional(const Optional& other) : value_(other.value_ == nullptr ? nullptr : new T(*other.value_)) {}
  Optional(Optional&& other) noexcept : value_(other.value_) { other.value_ = nullptr; }
  Optional& operator=(Optional other) noexcept {
    T* mine = value_;
    value_ = other.value_;
    other.value_ = mine;
    return *this;
  }
  ~Optional() { delete value_; }

  bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return value_ != nullptr; }
  const T& value() const { return *value_; }
  T& value() { return *value_; }
  const T& operator*() const { return *value_; }
  T& operator*() { return *value_; }
  const T* operator->() const { return value_; }
  T* operator->() { return value_; }
  T value_or(const T& otherwise) const { return value_ == nullptr ? otherwise : *value_; }

  void reset() {
    delete value_;
    value_ = nullptr;
  }

  // The value, made first if it is absent.
  T& ensure() {
    if (value_ == nullptr) {
      value_ = new T();
    }
    return *value_;
  }

 private:
  T* value_;
};

}  // namespace mesos

#endif
