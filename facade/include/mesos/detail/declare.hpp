// Part of mesos/module.hpp: the words between a module's name and its body, and what they amount to at compile time.
#ifndef MESOS_DETAIL_DECLARE_HPP
#define MESOS_DETAIL_DECLARE_HPP

#include <mesos/module.h>

#include <cstddef>
#include <cstdint>

namespace mesos {
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

}  // namespace modules
}  // namespace mesos

#endif
