// Part of mesos/json.hpp: messages into JSON.
#ifndef MESOS_DETAIL_JSON_WRITER_HPP
#define MESOS_DETAIL_JSON_WRITER_HPP

#include <mesos/detail/wire.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace mesos {
namespace json {

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

}  // namespace json
}  // namespace mesos

#endif
