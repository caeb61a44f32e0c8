// HMAC-MD5 (RFC 2104 over RFC 1321), written out so that there is nothing to link. It proves that somebody knows a secret; as
// a fingerprint of data MD5 is broken.
#ifndef MESOS_MODULES_HMAC_MD5_HPP
#define MESOS_MODULES_HMAC_MD5_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace crammd5 {
namespace {

// The state of MD5 over the blocks of 64 bytes seen so far.
class MD5 {
 public:
  static const size_t BLOCK = 64;

  // Returns the 16 bytes of the digest.
  static std::string of(const std::string& text) {
    MD5 md5;
    size_t at = 0;
    for (; text.size() - at >= BLOCK; at += BLOCK) {
      md5.block(reinterpret_cast<const unsigned char*>(text.data()) + at);
    }
    // What is left, a bit that is set, zeros, and the length in bits: one block, or two.
    unsigned char last[2 * BLOCK] = {};
    const size_t left = text.size() - at;
    if (left > 0) {
      std::memcpy(last, text.data() + at, left);
    }
    last[left] = 0x80;
    const size_t end = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    put(last + end - 8, static_cast<uint64_t>(text.size()) * 8, 8);
    for (size_t i = 0; i < end; i += BLOCK) {
      md5.block(last + i);
    }
    unsigned char digest[16];
    for (int i = 0; i < 4; i++) {
      put(digest + 4 * i, md5.state_[i], 4);
    }
    return std::string(reinterpret_cast<const char*>(digest), sizeof digest);
  }

 private:
  MD5() {
    state_[0] = 0x67452301;
    state_[1] = 0xefcdab89;
    state_[2] = 0x98badcfe;
    state_[3] = 0x10325476;
  }

  static void put(unsigned char* to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      to[i] = static_cast<unsigned char>(value >> (8 * i));
    }
  }

  void block(const unsigned char* data) {
    static const uint32_t sines[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af,
        0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
        0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
        0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97,
        0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
        0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
    static const int shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t words[16];
    for (int i = 0; i < 16; i++) {
      words[i] = static_cast<uint32_t>(data[4 * i]) | static_cast<uint32_t>(data[4 * i + 1]) << 8 |
                 static_cast<uint32_t>(data[4 * i + 2]) << 16 | static_cast<uint32_t>(data[4 * i + 3]) << 24;
    }
    uint32_t a = state_[0], b = state_[1], c = state_[2], d = state_[3];
    for (int i = 0; i < 64; i++) {
      uint32_t f;
      int word;
      switch (i / 16) {
        case 0: f = (b & c) | (~b & d); word = i; break;
        case 1: f = (d & b) | (~d & c); word = (5 * i + 1) % 16; break;
        case 2: f = b ^ c ^ d; word = (3 * i + 5) % 16; break;
        default: f = c ^ (b | ~d); word = (7 * i) % 16; break;
      }
      const uint32_t turned = a + f + sines[i] + words[word];
      const int shift = shifts[i / 16][i % 4];
      a = d;
      d = c;
      c = b;
      b += turned << shift | turned >> (32 - shift);
    }
    state_[0] += a;
    state_[1] += b;
    state_[2] += c;
    state_[3] += d;
  }

  uint32_t state_[4];
};

// Returns the 32 hexadecimal digits of HMAC-MD5.
inline std::string proof(std::string key, const std::string& text) {
  if (key.size() > MD5::BLOCK) {
    key = MD5::of(key);
  }
  std::string inner(MD5::BLOCK, 0x36), outer(MD5::BLOCK, 0x5c);
  for (size_t i = 0; i < key.size(); i++) {
    inner[i] = static_cast<char>(inner[i] ^ key[i]);
    outer[i] = static_cast<char>(outer[i] ^ key[i]);
  }
  std::string hex;
  for (const char c : MD5::of(outer + MD5::of(inner + text))) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[c & 15];
  }
  return hex;
}

// Compares in a time that depends on the lengths alone.
inline bool same(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) {
    return false;
  }
  volatile unsigned char different = 0;
  for (size_t i = 0; i < a.size(); i++) {
    different = static_cast<unsigned char>(different | (a[i] ^ b[i]));
  }
  return different == 0;
}

}  // namespace
}  // namespace crammd5

#endif
