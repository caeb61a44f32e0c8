// Part of the headers of API messages: bytes into fields.
#ifndef MESOS_DETAIL_WIRE_READER_HPP
#define MESOS_DETAIL_WIRE_READER_HPP

#include <mesos/detail/wire_codec.hpp>

namespace mesos {
namespace wire {

// Reads the fields of one message. What is wrong ends the whole reading: next() is false from then on.
class MESOS_HIDDEN Reader {
 public:
  // What the readers of a message and of those inside have in common.
  struct State {
    uint32_t elements = 0;
    const char* problem = nullptr;  // what is wrong
    const char* where = nullptr;    // and with which field, if it is one that lacks
  };

  Reader(const void* data, size_t size, State& state, uint32_t depth = 0)
      : at_(static_cast<const char*>(data)), end_(at_ + size), value_(at_), state_(state), depth_(depth) {
    if (depth > MAX_DEPTH) {
      wrong("messages are nested too deep");
    }
  }

  // Goes to the next field.
  bool next() {
    if (state_.problem != nullptr || at_ == end_) {
      return false;
    }
    const bool good = tag(&number_, &type_) && (type_ != END_OF_GROUP || wrong("a group ends that has not begun"));
    value_ = at_;
    return good;
  }
  uint32_t number() const { return number_; }

  // Each takes the field that the reader is at, and says whether it was of the right type; one that is not is unknown.
  bool take(bool& value) { return number(value, [](uint64_t x) { return x != 0; }); }
  bool take(int32_t& value) { return number(value, [](uint64_t x) { return static_cast<int32_t>(x); }); }
  bool take(int64_t& value) { return number(value, [](uint64_t x) { return static_cast<int64_t>(x); }); }
  bool take(uint32_t& value) { return number(value, [](uint64_t x) { return static_cast<uint32_t>(x); }); }
  bool take(uint64_t& value) { return number(value, [](uint64_t x) { return x; }); }
  template <typename T>
  typename std::enable_if<std::is_enum<T>::value, bool>::type take(T& value) {
    return number(value, [](uint64_t x) { return static_cast<T>(static_cast<int32_t>(x)); });
  }
  bool take(double& value) { return floating<uint64_t>(value, FIXED64); }
  bool take(float& value) { return floating<uint32_t>(value, FIXED32); }
  bool take(std::string& value) {
    const char* data;
    size_t size;
    if (type_ != BYTES || !bytes(&data, &size)) {
      return false;
    }
    value.assign(data, size);
    return true;
  }
  template <typename T>
  typename std::enable_if<IsMessage<T>::value, bool>::type take(T& value) {
    const char* data;
    size_t size;
    if (type_ != BYTES || !element() || !bytes(&data, &size)) {
      return false;
    }
    Reader inside(data, size, state_, depth_ + 1);
    Codec<T>::decode(inside, value);
    return true;
  }
  // A message that comes again is merged with what is there.
  template <typename T>
  bool take(Optional<T>& value) {
    const bool was = value.has_value();
    if (take(value.ensure())) {
      return true;
    }
    if (!was) {
      value.reset();
    }
    return false;
  }
  template <typename T>
  bool take(std::vector<T>& all) {
    if (type_ == BYTES && std::is_scalar<T>::value) {
      return packed(all);
    }
    if (!element()) {
      return false;
    }
    all.resize(all.size() + 1);
    if (take(all.back())) {
      return true;
    }
    all.pop_back();
    return false;
  }
  template <typename T>
  bool take(std::map<std::string, T>& all) {
    const char* data;
    size_t size;
    if (type_ != BYTES || !element() || !bytes(&data, &size)) {
      return false;
    }
    std::string key;
    T value = T();
    bool there = false;
    for (Reader entry(data, size, state_, depth_ + 1); entry.next();) {
      const bool of_value = entry.number() == 2 && entry.take(value);
      there = there || of_value;
      if (!of_value && !(entry.number() == 1 && entry.take(key))) {
        entry.skip();
      }
    }
    if (!there) {
      absent(value);
    }
    put(all, key, value);
    return true;
  }

  // Keeps the field that the reader is at as it is.
  void unknown(std::string& fields) {
    if (skip()) {
      char tag[10];
      fields.append(tag, write_varint(static_cast<uint64_t>(number_) << 3 | type_, tag));
      fields.append(value_, static_cast<size_t>(at_ - value_));
    }
  }

  // Finds fault with a message that lacks a field.
  void required(bool there, const char* field) {
    if (!there && state_.problem == nullptr) {
      state_.where = field;
      wrong("a required field is not there");
    }
  }

 private:
  bool wrong(const char* problem) {
    if (state_.problem == nullptr) {
      state_.problem = problem;
    }
    at_ = end_;
    return false;
  }
  // A value of a map that is not there is one that says nothing: of a message the required fields are missed.
  template <typename T>
  typename std::enable_if<IsMessage<T>::value>::type absent(T& value) {
    Reader nothing(end_, 0, state_, depth_);
    Codec<T>::decode(nothing, value);
  }
  template <typename T>
  typename std::enable_if<!IsMessage<T>::value>::type absent(T&) {}

  bool element() { return ++state_.elements <= MAX_ELEMENTS || wrong("it holds too much"); }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  bool varint(uint64_t* value) {
    *value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at_ == end_) {
        return wrong("it ends within a number");
      }
      const uint64_t byte = static_cast<unsigned char>(*at_++);
      if (shift == 63 && byte > 1) {
        break;
      }
      *value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        return true;
      }
    }
    return wrong("a number is too long");
  }
  bool tag(uint32_t* number, Type* type) {
    uint64_t value;
    if (!varint(&value)) {
      return false;
    }
    *number = static_cast<uint32_t>(value >> 3);
    *type = static_cast<Type>(value & 7);
    const bool possible = value >> 3 != 0 && value >> 3 < 1u << 29 && *type <= FIXED32;
    return possible || wrong("a field has an impossible number or type");
  }
  bool bytes(const char** data, size_t* size) {
    uint64_t length;
    if (!varint(&length)) {
      return false;
    }
    if (length > left()) {
      return wrong("it ends within a field");
    }
    *data = at_;
    *size = static_cast<size_t>(length);
    at_ += length;
    return true;
  }
  bool fixed(uint64_t* bits, size_t n) {
    if (left() < n) {
      return wrong("it ends within a number");
    }
    *bits = 0;
    for (size_t i = 0; i < n; i++) {
      *bits |= static_cast<uint64_t>(static_cast<unsigned char>(at_[i])) << (8 * i);
    }
    at_ += n;
    return true;
  }
  template <typename T, typename F>
  bool number(T& value, F of) {
    uint64_t x;
    if (type_ != VARINT || !varint(&x)) {
      return false;
    }
    value = of(x);
    return true;
  }
  template <typename B, typename T>
  bool floating(T& value, Type type) {
    uint64_t x;
    if (type_ != type || !fixed(&x, sizeof value)) {
      return false;
    }
    const B bits = static_cast<B>(x);
    std::memcpy(&value, &bits, sizeof value);
    return true;
  }
  // Numbers may come as one field, too.
  template <typename T>
  typename std::enable_if<std::is_scalar<T>::value, bool>::type packed(std::vector<T>& all) {
    const char* data;
    size_t size;
    if (!bytes(&data, &size)) {
      return false;
    }
    Reader inside(data, size, state_, depth_);
    inside.type_ = std::is_floating_point<T>::value ? (sizeof(T) == 8 ? FIXED64 : FIXED32) : VARINT;
    while (inside.at_ != inside.end_) {
      T one = T();
      if (!inside.element() || !inside.take(one)) {
        break;
      }
      all.push_back(one);
    }
    return true;
  }
  template <typename T>
  typename std::enable_if<!std::is_scalar<T>::value, bool>::type packed(std::vector<T>&) {
    return false;
  }

  // Goes behind the field that the reader is at, which has not been taken.
  bool skip() {
    if (state_.problem != nullptr) {
      return false;
    }
    at_ = value_;
    return skip(number_, type_, depth_);
  }
  bool skip(uint32_t number, Type type, uint32_t depth) {
    uint64_t ignored;
    const char* data;
    size_t size;
    switch (type) {
      case VARINT: return varint(&ignored);
      case FIXED64: return fixed(&ignored, 8);
      case FIXED32: return fixed(&ignored, 4);
      case BYTES: return bytes(&data, &size);
      case GROUP:
        while (depth < MAX_DEPTH) {
          uint32_t inside;
          Type kind;
          if (!tag(&inside, &kind)) {
            return false;
          }
          if (kind == END_OF_GROUP) {
            return inside == number || wrong("a group ends that has not begun");
          }
          if (!skip(inside, kind, depth + 1)) {
            return false;
          }
        }
        return wrong("groups are nested too deep");
      case END_OF_GROUP: break;
    }
    return wrong("a group ends that has not begun");
  }

  const char* at_;
  const char* end_;
  const char* value_;  // of the current field: what is behind its tag
  State& state_;
  uint32_t depth_;
  uint32_t number_ = 0;
  Type type_ = VARINT;
};

}  // namespace wire
}  // namespace mesos

#endif
