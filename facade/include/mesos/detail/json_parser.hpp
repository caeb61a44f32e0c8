// Part of mesos/json.hpp: JSON into a tree of values, within bounds.
#ifndef MESOS_DETAIL_JSON_PARSER_HPP
#define MESOS_DETAIL_JSON_PARSER_HPP

#include <mesos/module.h>

#include <cstring>
#include <string>
#include <vector>

namespace mesos {
namespace json {

// How deep JSON may be nested, and how many values it may hold in all.
enum : uint32_t { MAX_DEPTH = 200, MAX_VALUES = 1u << 20 };

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

}  // namespace json
}  // namespace mesos

#endif
