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

#include <mesos/detail/json_reader.hpp>
#include <mesos/detail/json_writer.hpp>

#include <string>

namespace mesos {

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
