// Part of the headers of API messages: fields into bytes.
#ifndef MESOS_DETAIL_WIRE_WRITER_HPP
#define MESOS_DETAIL_WIRE_WRITER_HPP

#include <mesos/detail/wire_codec.hpp>

namespace mesos {
namespace wire {

// Appends fields to bytes.
class MESOS_HIDDEN Writer {
 public:
  const std::string& bytes() const { return bytes_; }

  void put(uint32_t number, bool value) { tagged(number, value ? 1 : 0); }
  void put(uint32_t number, int32_t value) { tagged(number, static_cast<uint64_t>(static_cast<int64_t>(value))); }
  void put(uint32_t number, int64_t value) { tagged(number, static_cast<uint64_t>(value)); }
  void put(uint32_t number, uint32_t value) { tagged(number, value); }
  void put(uint32_t number, uint64_t value) { tagged(number, value); }
  void put(uint32_t number, double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    tag(number, FIXED64);
    fixed(bits, 8);
  }
  void put(uint32_t number, float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    tag(number, FIXED32);
    fixed(bits, 4);
  }
  void put(uint32_t number, const std::string& value) {
    tag(number, BYTES);
    varint(value.size());
    bytes_ += value;
  }
  template <typename T>
  typename std::enable_if<std::is_enum<T>::value>::type put(uint32_t number, T value) {
    put(number, static_cast<int32_t>(value));
  }
  template <typename T>
  typename std::enable_if<IsMessage<T>::value>::type put(uint32_t number, const T& value) {
    tag(number, BYTES);
    const size_t start = bytes_.size();
    Codec<T>::encode(*this, value);
    close(start);
  }
  template <typename T>
  void put(uint32_t number, const Optional<T>& value) {
    if (value) {
      put(number, *value);
    }
  }
  template <typename T>
  void put(uint32_t number, const std::vector<T>& all) {
    for (const T& value : all) {
      put(number, value);
    }
  }
  template <typename T>
  void put(uint32_t number, const std::map<std::string, T>& all) {
    for (const auto& entry : all) {
      tag(number, BYTES);
      const size_t start = bytes_.size();
      put(1, entry.first);
      put(2, entry.second);
      close(start);
    }
  }

  // Fields that were read and are not known here.
  void unknown(const std::string& fields) { bytes_ += fields; }

 private:
  void tagged(uint32_t number, uint64_t value) {
    tag(number, VARINT);
    varint(value);
  }
  void tag(uint32_t number, Type type) { varint(static_cast<uint64_t>(number) << 3 | type); }
  void varint(uint64_t value) {
    char out[10];
    bytes_.append(out, write_varint(value, out));
  }
  void fixed(uint64_t bits, int n) {
    for (int i = 0; i < n; i++, bits >>= 8) {
      bytes_ += static_cast<char>(bits);
    }
  }
  // Puts the length in front of what was written since start.
  void close(size_t start) {
    char out[10];
    bytes_.insert(start, out, write_varint(bytes_.size() - start, out));
  }

  std::string bytes_;
};

}  // namespace wire
}  // namespace mesos

#endif
