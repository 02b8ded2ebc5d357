// The bytes of one fuzz run, cut into parts. A newline-free mutation rarely breaks the frame, so that seeds
// stay readable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace skiff::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  // The first byte as a choice among `count`.
  size_t choose(size_t count) {
    if (rest_.empty() || count == 0) return 0;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte % count;
  }
  // Up to the next "\n---\n", or all that is left.
  std::string_view part() {
    constexpr std::string_view kCut = "\n---\n";
    const size_t at = rest_.find(kCut);
    const std::string_view out = rest_.substr(0, at);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + kCut.size());
    return out;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// A property that does not hold ends the run as a crash does.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace skiff::fuzz
