#include "base/random.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <string_view>

#include "base/check.h"

namespace skiff {

uint64_t SystemRandom::next() {
  uint64_t value = 0;
  SKIFF_CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
  return value;
}

// splitmix64: every seed, also 0, gives a full-period sequence.
uint64_t SeededRandom::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

std::string make_uuid(Random& random) {
  const uint64_t a = (random.next() & 0xFFFFFFFFFFFF0FFFULL) | 0x4000ULL;
  const uint64_t b = (random.next() & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xFFFF, a & 0xFFFF, b >> 48,
                     b & 0xFFFFFFFFFFFFULL);
}

std::string make_name_suffix(Random& random, size_t length) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  for (size_t i = 0; i < length; ++i) out += kAlphabet[random.below(kAlphabet.size())];
  return out;
}

std::string make_secret(Random& random, size_t bytes) {
  std::string out;
  while (out.size() < bytes * 2) out += fmt::format("{:016x}", random.next());
  out.resize(bytes * 2);
  return out;
}

}  // namespace skiff
