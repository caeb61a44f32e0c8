// Part of the headers of API messages: their bytes, which are those of protocol buffers. Reading is bounded, whatever the
// bytes say: nothing behind their end is looked at, and depth and number of what they make are limited.
#ifndef MESOS_DETAIL_WIRE_HPP
#define MESOS_DETAIL_WIRE_HPP

#include <mesos/detail/wire_reader.hpp>
#include <mesos/detail/wire_writer.hpp>

namespace mesos {

// The bytes of an API message, as every protocol buffer library reads them. The fields are in the order of their numbers, those
// of a oneof and then what is not known here at last: the same message gives the same bytes, which are those that Go gives.
template <typename T>
MESOS_HIDDEN std::string encode(const T& message) {
  wire::Writer out;
  wire::Codec<T>::encode(out, message);
  return out.bytes();
}

// Reads an API message. If that fails, problem (which may be null) says why, and message holds what was read until then.
template <typename T>
MESOS_HIDDEN bool decode(const void* data, size_t size, T& message, std::string* problem = nullptr) {
  message = T();
  wire::Reader::State state;
  wire::Reader in(data, size, state);
  wire::Codec<T>::decode(in, message);
  if (state.problem == nullptr) {
    return true;
  }
  if (problem != nullptr) {
    *problem = state.problem;
    if (state.where != nullptr) {
      *problem += std::string(": ") + state.where;
    }
  }
  return false;
}
template <typename T>
MESOS_HIDDEN bool decode(const std::string& bytes, T& message, std::string* problem = nullptr) {
  return decode(bytes.data(), bytes.size(), message, problem);
}

}  // namespace mesos

#endif
