// mesos/json.hpp: API messages as JSON, the way Apache Mesos writes and reads them, for modules that talk to programs which
// know no protocol buffers. A module that does not need it does not include it.
//
//   std::string text = mesos::to_json(task);
//   mesos::slave::ContainerLimitation limitation;
//   std::string problem;
//   if (!mesos::from_json(line, limitation, &problem)) { ... }
//
// Written are the names of the fields as they stand in the .proto files, enums by name, bytes in base64, infinite numbers as
// "Infinity"; fields that are absent are left out, unless they have a default, and so is what has no name here. Read is the
// same: what is unknown is ignored, null is as good as absent, numbers may stand in quotes, and one value for a list of one.
#ifndef MESOS_JSON_HPP
#define MESOS_JSON_HPP

#include <mesos/detail/wire.hpp>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

namespace mesos {
namespace json {

// How deep JSON may be nested, and how many values it may hold in all.
enum : uint32_t { MAX_DEPTH = 200, MAX_VALUES = 1u << 20 };

// How many bytes the character at the beginning of a text has: 0 if it is none of UTF-8.
MESOS_HIDDEN inline size_t character(const char* text, size_t size) {
  const unsigned char* c = reinterpret_cast<const unsigned char*>(text);
  const size_t want = c[0] < 0x80 ? 1 : c[0] >= 0xc2 && c[0] < 0xe0 ? 2 : c[0] >= 0xe0 && c[0] < 0xf0 ? 3 : c[0] >= 0xf0 && c[0] < 0xf5 ? 4 : 0;
  if (want == 0 || want > size) {
    return 0;
  }
  for (size_t i = 1; i < want; i++) {
    if ((c[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  const bool too_long = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
  const bool beyond = (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf4 && c[1] >= 0x90);
  return too_long || beyond ? 0 : want;
}

// Writes one document, with the commas where they belong.
class MESOS_HIDDEN Writer {
 public:
  const std::string& text() const { return text_; }

  void begin(char bracket) {
    value();
    text_ += bracket;
    comma_ = false;
  }
  void end(char bracket) {
    text_ += bracket;
    comma_ = true;
  }
  void key(const std::string& name) {
    write(name);
    text_ += ':';
    comma_ = false;
  }

  void write(const std::string& text) {
    value();
    text_ += '"';
    for (size_t i = 0; i < text.size();) {
      const size_t size = character(text.data() + i, text.size() - i);
      if (size == 0) {
        text_ += "\xef\xbf\xbd";  // the replacement character
        i++;
        continue;
      }
      const char c = text[i];
      if (c == '"' || c == '\\') {
        text_ += '\\';
        text_ += c;
      } else if (size == 1 && static_cast<unsigned char>(c) < 0x20) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
        text_ += escaped;
      } else {
        text_.append(text, i, size);
      }
      i += size;
    }
    text_ += '"';
  }
  void write_binary(const std::string& bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    value();
    text_ += '"';
    for (size_t i = 0; i < bytes.size(); i += 3) {
      uint32_t group = 0;
      const size_t n = bytes.size() - i < 3 ? bytes.size() - i : 3;
      for (size_t k = 0; k < 3; k++) {
        group = group << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0);
      }
      for (size_t k = 0; k < 4; k++) {
        text_ += k <= n ? digits[group >> (18 - 6 * k) & 63] : '=';
      }
    }
    text_ += '"';
  }
  void write(bool truth) { raw(truth ? "true" : "false"); }
  void write(int32_t number) { write(static_cast<int64_t>(number)); }
  void write(uint32_t number) { write(static_cast<uint64_t>(number)); }
  void write(int64_t number) { format("%lld", static_cast<long long>(number)); }
  void write(uint64_t number) { format("%llu", static_cast<unsigned long long>(number)); }
  void write(double number) {
    if (std::isnan(number) || std::isinf(number)) {
      write(std::string(std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity"));
      return;
    }
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
      std::snprintf(digits, sizeof digits, "%.*g", precision, number);
      if (std::strtod(digits, nullptr) == number) {
        break;
      }
    }
    std::string text;
    for (const char* c = digits; *c != 0; c++) {
      text += *c == ',' ? '.' : *c;  // a locale's
    }
    if (text.find_first_of(".e") == std::string::npos) {
      text += ".0";
    }
    raw(text);
  }
  template <typename T>
  typename std::enable_if<wire::IsMessage<T>::value>::type write(const T& message);

 private:
  void value() {
    if (comma_) {
      text_ += ',';
    }
    comma_ = true;
  }
  // std::to_string is not used: it leaves symbols that keep a library from being closed.
  template <typename T>
  void format(const char* how, T number) {
    char digits[24];
    std::snprintf(digits, sizeof digits, how, number);
    raw(digits);
  }
  void raw(const std::string& text) {
    value();
    text_ += text;
  }

  std::string text_;
  bool comma_ = false;
};

// The name of an enum's value; null if it has none here.
template <typename T>
MESOS_HIDDEN const char* name_of(T value) {
  for (const wire::EnumName* one = wire::Names<T>::all(); one->name != nullptr; one++) {
    if (one->value == static_cast<int32_t>(value)) {
      return one->name;
    }
  }
  return nullptr;
}

// Writes the fields of a message.
struct MESOS_HIDDEN FieldWriter {
  Writer& out;

  template <typename T>
  void operator()(const char* name, const T& field, unsigned flags) {
    put(name, field, flags);
  }
  template <typename T, typename D>
  void operator()(const char* name, const Optional<T>& field, unsigned flags, const D& otherwise) {
    put(name, field.value_or(T(otherwise)), flags);
  }

 private:
  template <typename T>
  void put(const char* name, const Optional<T>& field, unsigned flags) {
    if (field) {
      put(name, *field, flags);
    }
  }
  template <typename T>
  void put(const char* name, const std::vector<T>& all, unsigned flags) {
    if (all.empty()) {
      return;
    }
    out.key(name);
    out.begin('[');
    for (const T& one : all) {
      element(one, flags);
    }
    out.end(']');
  }
  template <typename T>
  void put(const char* name, const std::map<std::string, T>& all, unsigned flags) {
    if (all.empty()) {
      return;
    }
    out.key(name);
    out.begin('{');
    for (const auto& entry : all) {
      out.key(entry.first);
      element(entry.second, flags);
    }
    out.end('}');
  }
  template <typename T>
  typename std::enable_if<std::is_enum<T>::value>::type put(const char* name, const T& value, unsigned flags) {
    if (name_of(value) != nullptr) {
      out.key(name);
      element(value, flags);
    }
  }
  template <typename T>
  typename std::enable_if<!std::is_enum<T>::value>::type put(const char* name, const T& value, unsigned flags) {
    out.key(name);
    element(value, flags);
  }

  void element(const std::string& value, unsigned flags) {
    if ((flags & wire::BINARY) != 0) {
      out.write_binary(value);
    } else {
      out.write(value);
    }
  }
  template <typename T>
  typename std::enable_if<std::is_enum<T>::value>::type element(const T& value, unsigned) {
    if (const char* name = name_of(value)) {
      out.write(std::string(name));
    }
  }
  template <typename T>
  typename std::enable_if<!std::is_enum<T>::value>::type element(const T& value, unsigned) {
    out.write(value);
  }
};

template <typename T>
inline typename std::enable_if<wire::IsMessage<T>::value>::type Writer::write(const T& message) {
  begin('{');
  FieldWriter fields = {*this};
  wire::Codec<T>::fields(fields, message);
  end('}');
}

// A document that was read.
struct MESOS_HIDDEN Value {
  enum Kind { NOTHING, TRUTH, NUMBER, TEXT, LIST, OBJECT };

  Kind kind = NOTHING;
  std::string text;                // of a text, or as a number or truth was written
  std::vector<std::string> keys;   // of an object, beside values
  std::vector<Value> values;       // of a list or object
};

// Reads one document. What is wrong ends it.
class MESOS_HIDDEN Parser {
 public:
  explicit Parser(const std::string& text) : at_(text.data()), end_(at_ + text.size()) {}

  bool document(Value& value, std::string* problem) {
    const bool good = parse(value, 0) && (space(), at_ == end_ || wrong("there is more behind its end"));
    if (!good && problem != nullptr) {
      *problem = std::string("it is no JSON: ") + problem_;
    }
    return good;
  }

 private:
  bool wrong(const char* problem) {
    problem_ = problem;
    return false;
  }
  void space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) {
      at_++;
    }
  }
  bool next(char c) {
    space();
    if (at_ == end_ || *at_ != c) {
      return false;
    }
    at_++;
    return true;
  }

  bool parse(Value& value, uint32_t depth) {
    if (depth > MAX_DEPTH) {
      return wrong("it is nested too deep");
    }
    if (++values_ > MAX_VALUES) {
      return wrong("it holds too much");
    }
    space();
    if (at_ == end_) {
      return wrong("it ends where a value should be");
    }
    switch (*at_) {
      case '{': return object(value, depth);
      case '[': return list(value, depth);
      case '"': value.kind = Value::TEXT; return quoted(value.text);
      case 't': return word("true", Value::TRUTH, value);
      case 'f': return word("false", Value::TRUTH, value);
      case 'n': return word("null", Value::NOTHING, value);
      default: return number(value);
    }
  }
  bool object(Value& value, uint32_t depth) {
    value.kind = Value::OBJECT;
    at_++;
    if (next('}')) {
      return true;
    }
    do {
      space();
      value.keys.push_back(std::string());
      value.values.push_back(Value());
      if (at_ == end_ || *at_ != '"' || !quoted(value.keys.back()) || !next(':')) {
        return problem_ != nullptr ? false : wrong("an object lacks a key or a colon");
      }
      if (!parse(value.values.back(), depth + 1)) {
        return false;
      }
    } while (next(','));
    return next('}') || wrong("an object does not end");
  }
  bool list(Value& value, uint32_t depth) {
    value.kind = Value::LIST;
    at_++;
    if (next(']')) {
      return true;
    }
    do {
      value.values.push_back(Value());
      if (!parse(value.values.back(), depth + 1)) {
        return false;
      }
    } while (next(','));
    return next(']') || wrong("a list does not end");
  }
  bool word(const char* text, Value::Kind kind, Value& value) {
    const size_t size = std::strlen(text);
    if (static_cast<size_t>(end_ - at_) < size || std::memcmp(at_, text, size) != 0) {
      return wrong("a word is none of true, false and null");
    }
    at_ += size;
    value.kind = kind;
    value.text = text;
    return true;
  }
  bool digits() {
    const char* start = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9') {
      at_++;
    }
    return at_ > start || wrong("a number lacks a digit");
  }
  bool number(Value& value) {
    const char* start = at_;
    if (*at_ == '-') {
      at_++;
    }
    if (!digits()) {
      return wrong(at_ == start ? "a value is none" : "a number lacks a digit");
    }
    if (at_ < end_ && *at_ == '.') {
      at_++;
      if (!digits()) {
        return false;
      }
    }
    if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
      at_++;
      if (at_ < end_ && (*at_ == '+' || *at_ == '-')) {
        at_++;
      }
      if (!digits()) {
        return false;
      }
    }
    value.kind = Value::NUMBER;
    value.text.assign(start, static_cast<size_t>(at_ - start));
    return true;
  }
  bool hex(uint32_t* unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++) {
      if (at_ == end_) {
        return wrong("a text does not end");
      }
      const char c = *at_++;
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) {
        return wrong("a text has \\u without four digits behind it");
      }
      *unit = *unit << 4 | static_cast<uint32_t>(digit);
    }
    return true;
  }
  static void append(std::string& text, uint32_t c) {
    if (c < 0x80) {
      text += static_cast<char>(c);
      return;
    }
    char bytes[4];
    int n = 0;
    for (; c >= (n == 0 ? 0x40u : 0x40u >> n); c >>= 6) {
      bytes[n++] = static_cast<char>(0x80 | (c & 0x3f));
    }
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    text += static_cast<char>(first[n] | c);
    while (n > 0) {
      text += bytes[--n];
    }
  }
  bool escape(std::string& text) {
    if (at_ == end_) {
      return wrong("a text does not end");
    }
    const char c = *at_++;
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (c != 'u') {
      const char* found = c == 0 ? nullptr : std::strchr(from, c);
      if (found == nullptr) {
        return wrong("a text has a backslash before a character that needs none");
      }
      text += to[found - from];
      return true;
    }
    uint32_t unit;
    if (!hex(&unit)) {
      return false;
    }
    if (unit >= 0xd800 && unit < 0xe000) {
      uint32_t low = 0;
      const bool pair = unit < 0xdc00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u';
      if (pair) {
        at_ += 2;
        if (!hex(&low)) {
          return false;
        }
      }
      if (low < 0xdc00 || low >= 0xe000) {
        return wrong("a text has half of a character");
      }
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    append(text, unit);
    return true;
  }
  bool quoted(std::string& text) {
    for (at_++; at_ < end_;) {
      const char c = *at_++;
      if (c == '"') {
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        return wrong("a text has a control character");
      }
      if (c != '\\') {
        text += c;
      } else if (!escape(text)) {
        return false;
      }
    }
    return wrong("a text does not end");
  }

  const char* at_;
  const char* end_;
  const char* problem_ = nullptr;
  uint32_t values_ = 0;
};

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

// The message as one line of JSON.
template <typename T>
MESOS_HIDDEN std::string to_json(const T& message) {
  json::Writer out;
  out.write(message);
  return out.text();
}

// Reads a message from JSON. If that fails, problem (which may be null) says why, with the path to the field, and message holds
// what was read until then.
template <typename T>
MESOS_HIDDEN bool from_json(const std::string& text, T& message, std::string* problem = nullptr) {
  message = T();
  std::string why;
  json::Value value;
  if (json::Parser(text).document(value, &why) && json::FieldReader::message(value, message, why)) {
    return true;
  }
  if (problem != nullptr) {
    *problem = why[0] == ':' ? why.substr(2) : why;
  }
  return false;
}

}  // namespace mesos

#endif
