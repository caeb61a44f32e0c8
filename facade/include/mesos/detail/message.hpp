// Part of the headers of roles with API messages: on their way between the daemon and the class of a role.
#ifndef MESOS_DETAIL_MESSAGE_HPP
#define MESOS_DETAIL_MESSAGE_HPP

#include <mesos/detail/glue.hpp>
#include <mesos/detail/wire.hpp>

namespace mesos {

// Takes what a module has to say later, for example the limitation of a container. A value to copy, also to threads, and good
// for as long as the library is open: called too late, it says no and does nothing else.
template <typename T>
class Receiver {
 public:
  Receiver() : receiver_() {}
  explicit Receiver(const mesos_receiver* receiver) : receiver_() {
    if (receiver != nullptr) {
      receiver_ = *receiver;
    }
  }

  // Hands a value over. From any thread, and never waits. False if nobody listens any more, or if far too much lies
  // unread.
  bool operator()(const T& value) const { return send(value); }

  // Whether somebody still listens: not after the context of the call that brought the receiver has ended, nor when the
  // instance is gone.
  bool open() const { return receiver_.open != nullptr && receiver_.open(receiver_.daemon, receiver_.id) != 0; }

 private:
  bool send(const std::string& bytes) const { return mesos_send(&receiver_, bytes.data(), bytes.size()) == MESOS_RECEIVER_TAKEN; }
  template <typename M>
  bool send(const M& message) const { return send(encode(message)); }

  mesos_receiver receiver_;
};

namespace modules {

// Reads an argument; null, which a message that is not there has, leaves it empty. If it cannot be read, the call fails.
template <typename T>
MESOS_HIDDEN bool read_argument(const mesos_bytes& bytes, const char* name, T& message) {
  std::string problem;
  if (bytes.data == nullptr || decode(bytes.data, bytes.size, message, &problem)) {
    return true;
  }
  fail(std::string("the daemon's argument ") + name + " cannot be read: " + problem);
  return false;
}
template <typename T>
MESOS_HIDDEN bool read_argument(const mesos_bytes& bytes, const char* name, Optional<T>& message) {
  return bytes.data == nullptr || read_argument(bytes, name, message.ensure());
}
template <typename T>
MESOS_HIDDEN bool read_argument(const mesos_bytes* all, size_t count, const char* name, std::vector<T>& messages) {
  messages.resize(count);
  for (size_t i = 0; i < count; i++) {
    if (!read_argument(all[i], name, messages[i])) {
      return false;
    }
  }
  return true;
}

template <typename T>
MESOS_HIDDEN void give(mesos_sink* sink, const Optional<T>& message) {
  if (message) {
    give(sink, encode(*message));
  }
}
template <typename T>
MESOS_HIDDEN typename std::enable_if<wire::IsMessage<T>::value>::type give(mesos_sink* sink, const std::vector<T>& all) {
  for (const T& message : all) {
    give(sink, encode(message));
  }
}

}  // namespace modules
}  // namespace mesos

#endif
