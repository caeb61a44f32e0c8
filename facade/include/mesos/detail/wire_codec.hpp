// Part of the headers of API messages: what their writer and reader have in common.
#ifndef MESOS_DETAIL_WIRE_CODEC_HPP
#define MESOS_DETAIL_WIRE_CODEC_HPP

#include <mesos/detail/optional.hpp>
#include <mesos/module.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mesos {
namespace wire {

enum Type : uint32_t { VARINT = 0, FIXED64 = 1, BYTES = 2, GROUP = 3, END_OF_GROUP = 4, FIXED32 = 5 };

// How deep messages may be nested, and how many messages, texts and numbers one of them may hold in all.
enum : uint32_t { MAX_DEPTH = 100, MAX_ELEMENTS = 1u << 20 };

// Specialised for every message: encode, decode, and fields, which shows each field to a visitor: its name in the .proto file,
// the field, what it is, and its default if it has one.
template <typename T>
struct Codec;

enum Flags : unsigned { PLAIN = 0, REQUIRED = 1, BINARY = 2 };

// Specialised for every enum: the names of its values, up to one that is null.
template <typename T>
struct Names;

struct EnumName {
  const char* name;
  int32_t value;
};

template <typename T>
struct MESOS_HIDDEN IsMessage : std::integral_constant<bool, std::is_class<T>::value && !std::is_same<T, std::string>::value> {};

// Writes a number, of at most 10 bytes, and returns how many they are.
MESOS_HIDDEN inline size_t write_varint(uint64_t value, char* out) {
  size_t n = 0;
  for (; value >= 0x80; value >>= 7) {
    out[n++] = static_cast<char>(value | 0x80);
  }
  out[n++] = static_cast<char>(value);
  return n;
}

// Sets an entry of a map, as [] does. With [] from C++17 on g++ puts a symbol into the library that is one in the process, and the
// library is never closed.
template <typename T>
MESOS_HIDDEN void put(std::map<std::string, T>& all, const std::string& key, const T& value) {
  all.erase(key);
  all.insert(std::make_pair(key, value));
}

}  // namespace wire
}  // namespace mesos

#endif
