// Reads frames from standard input, each a message's number and its bytes, and writes what the structs make of them: 1 and the
// bytes, or 0 and the problem.
#include "messages.hpp"

#include <cstdio>

typedef bool (*Echo)(const std::string& in, std::string* out);

template <typename T>
static bool echo(const std::string& in, std::string* out) {
  T message;
  if (!mesos::decode(in, message, out)) {
    return false;
  }
  // Through copies and moves, so that these are looked at too.
  T copy = message;
  message = T();
  T moved = std::move(copy);
  mesos::Optional<T> optional = moved;
  std::vector<T> list(2, *optional);
  list.push_back(list[0]);
  *out = mesos::encode(list.back());
  return true;
}

static bool get(void* to, size_t size) { return std::fread(to, 1, size, stdin) == size; }

int main() {
  static const Echo all[] = {MESSAGES};
  uint32_t head[2];
  while (get(head, sizeof head)) {
    // Bytes of a block that is exactly as large, so that reading behind them is found.
    std::string in(head[1], '\0'), out;
    if (head[0] >= sizeof all / sizeof all[0] || !get(&in[0], in.size())) {
      return 2;
    }
    const unsigned char good = all[head[0]](in, &out) ? 1 : 0;
    const uint32_t size = static_cast<uint32_t>(out.size());
    std::fwrite(&good, 1, 1, stdout);
    std::fwrite(&size, 1, sizeof size, stdout);
    std::fwrite(out.data(), 1, out.size(), stdout);
    std::fflush(stdout);
  }
  return 0;
}
