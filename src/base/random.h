// Randomness as an interface, so that a test or a simulation seeds it.
#pragma once

#include <cstdint>
#include <string>

namespace skiff {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
  // A number in [0, bound); bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
};

// The kernel's generator; for secrets too. Thread-safe.
class SystemRandom final : public Random {
 public:
  uint64_t next() override;
};

// A fixed sequence for each seed; for tests and simulations, never for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t next() override;

 private:
  uint64_t state_;
};

// A version 4 UUID (RFC 9562).
std::string make_uuid(Random& random);
// `length` characters of Kubernetes' safe alphabet bcdfghjklmnpqrstvwxz2456789.
std::string make_name_suffix(Random& random, size_t length = 5);
// A secret of `bytes` random bytes in hexadecimal.
std::string make_secret(Random& random, size_t bytes = 32);

}  // namespace skiff
