// Part of mesos/json.hpp: a tree of values into messages.
#ifndef MESOS_DETAIL_JSON_READER_HPP
#define MESOS_DETAIL_JSON_READER_HPP

#include <mesos/detail/json_parser.hpp>
#include <mesos/detail/wire.hpp>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace mesos {
namespace json {

// Turns values of a document into those of fields.
class MESOS_HIDDEN FieldReader {
 public:
  FieldReader(const Value& object, std::string& problem) : object_(object), problem_(problem) {}

  template <typename T>
  void operator()(const char* name, T& field, unsigned flags) {
    if (!problem_.empty()) {
      return;
    }
    bool there = false;
    for (size_t i = object_.keys.size(); i-- > 0 && !there;) {  // of equal keys the last one counts
      if (object_.keys[i] == name) {
        there = object_.values[i].kind != Value::NOTHING && take(object_.values[i], field, flags);
        break;
      }
    }
    if (!problem_.empty()) {
      problem_ = std::string(name) + (problem_[0] == ':' ? "" : ".") + problem_;
    } else if (!there && (flags & wire::REQUIRED) != 0) {
      problem_ = std::string(name) + ": a required field is not there";
    }
  }
  template <typename T, typename D>
  void operator()(const char* name, T& field, unsigned flags, const D&) {
    (*this)(name, field, flags);
  }

  template <typename T>
  static bool message(const Value& value, T& out, std::string& problem) {
    if (value.kind != Value::OBJECT) {
      problem = ": it is no object";
      return false;
    }
    FieldReader reader(value, problem);
    wire::Codec<T>::fields(reader, out);
    return problem.empty();
  }

 private:
  bool wrong(const char* problem) {
    problem_ = std::string(": ") + problem;
    return false;
  }

  template <typename T>
  bool take(const Value& value, Optional<T>& field, unsigned flags) {
    T one = T();
    if (!take(value, one, flags)) {
      return false;
    }
    field = Optional<T>(one);
    return true;
  }
  // One value stands for a list of one, lists in lists are one list, and null in a list is nothing.
  template <typename T>
  bool take(const Value& value, std::vector<T>& all, unsigned flags) {
    if (value.kind == Value::LIST) {
      for (const Value& one : value.values) {
        if (one.kind != Value::NOTHING && !take(one, all, flags) && !problem_.empty()) {
          return false;
        }
      }
      return true;
    }
    T one = T();
    if (!take(value, one, flags)) {
      return false;
    }
    all.push_back(one);
    return true;
  }
  template <typename T>
  bool take(const Value& value, std::map<std::string, T>& all, unsigned flags) {
    if (value.kind != Value::OBJECT) {
      return wrong("it is no object");
    }
    for (size_t i = 0; i < value.keys.size(); i++) {
      T one = T();
      if (value.values[i].kind == Value::NOTHING || !take(value.values[i], one, flags)) {
        if (!problem_.empty()) {
          return false;
        }
        continue;
      }
      wire::put(all, value.keys[i], one);
    }
    return true;
  }
  template <typename T>
  typename std::enable_if<wire::IsMessage<T>::value, bool>::type take(const Value& value, T& out, unsigned) {
    return message(value, out, problem_);
  }
  // A name that is not known is as good as absent.
  template <typename T>
  typename std::enable_if<std::is_enum<T>::value, bool>::type take(const Value& value, T& out, unsigned) {
    if (value.kind != Value::TEXT) {
      return wrong("it is no name");
    }
    for (const wire::EnumName* one = wire::Names<T>::all(); one->name != nullptr; one++) {
      if (value.text == one->name) {
        out = static_cast<T>(one->value);
        return true;
      }
    }
    return false;
  }
  bool take(const Value& value, std::string& out, unsigned flags) {
    if (value.kind != Value::TEXT) {
      return wrong("it is no text");
    }
    if ((flags & wire::BINARY) == 0) {
      out = value.text;
      return true;
    }
    return binary(value.text, out) || wrong("it is no base64");
  }
  bool take(const Value& value, bool& out, unsigned) {
    const bool word = value.kind == Value::TRUTH || value.kind == Value::TEXT;
    if (!word || (value.text != "true" && value.text != "false")) {
      return wrong("it is neither true nor false");
    }
    out = value.text == "true";
    return true;
  }
  bool take(const Value& value, double& out, unsigned) {
    if (value.kind == Value::TEXT && (value.text == "Infinity" || value.text == "-Infinity" || value.text == "NaN")) {
      out = value.text == "NaN" ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
      out = value.text[0] == '-' ? -out : out;
      return true;
    }
    if (!numeric(value)) {
      return wrong("it is no number");
    }
    out = std::strtod(value.text.c_str(), nullptr);
    return true;
  }
  bool take(const Value& value, int32_t& out, unsigned) { return whole(value, out); }
  bool take(const Value& value, int64_t& out, unsigned) { return whole(value, out); }
  bool take(const Value& value, uint32_t& out, unsigned) { return whole(value, out); }
  bool take(const Value& value, uint64_t& out, unsigned) { return whole(value, out); }

  static bool numeric(const Value& value) {
    Value inside;
    return value.kind == Value::NUMBER ||
           (value.kind == Value::TEXT && Parser(value.text).document(inside, nullptr) && inside.kind == Value::NUMBER);
  }
  // A fraction is cut off. A whole number of 64 bits is cut to those of the field; any other that does not fit is refused.
  template <typename T>
  bool whole(const Value& value, T& out) {
    if (!numeric(value)) {
      return wrong("it is no number");
    }
    const char* text = value.text.c_str();
    if (value.text.find_first_of(".eE") != std::string::npos) {
      const double number = std::trunc(std::strtod(text, nullptr));
      if (!(number >= static_cast<double>((std::numeric_limits<T>::min)()) && number < std::ldexp(1.0, std::numeric_limits<T>::digits))) {
        return wrong("the number does not fit");
      }
      out = static_cast<T>(number);
      return true;
    }
    errno = 0;
    out = static_cast<T>(value.text.find('-') != std::string::npos ? static_cast<unsigned long long>(std::strtoll(text, nullptr, 10))
                                                                   : std::strtoull(text, nullptr, 10));
    return errno == 0 || wrong("the number does not fit");
  }
  // White space is ignored, and padding may lack.
  static bool binary(const std::string& text, std::string& out) {
    uint32_t group = 0;
    size_t digits = 0;
    bool padded = false;
    out.clear();
    for (const char c : text) {
      const int digit = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
      if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        continue;
      }
      if (c == '=') {
        padded = true;
        continue;
      }
      if (digit < 0 || padded) {
        return false;
      }
      group = group << 6 | static_cast<uint32_t>(digit);
      digits++;
      if (digits % 4 != 1) {
        out += static_cast<char>(group >> (digits % 4 == 2 ? 4 : digits % 4 == 3 ? 2 : 0));
      }
    }
    return digits % 4 != 1;
  }

  const Value& object_;
  std::string& problem_;
};

}  // namespace json
}  // namespace mesos

#endif
