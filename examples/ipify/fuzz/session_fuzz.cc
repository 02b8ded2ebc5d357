// The request path under arbitrary bytes. Beyond not crashing, it holds two properties: how the bytes are cut
// into reads never changes the answers, and nothing but a whole number of responses comes out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "bounds.h"
#include "session.h"

namespace {

constexpr std::string_view kCommonHeaders = "Date: today\r\n";

// `step` bytes a read; 0 is as many as the server takes at most.
std::string answers(std::string_view bytes, std::size_t step) {
  static const ipify::TrustPolicy trust = ipify::default_trust();
  ipify::Session session(*ipify::Address::parse("10.0.0.1"), trust);
  std::string out;
  if (step == 0) step = ipify::kReadBytes;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    // A copy of its own, so that reading past the piece is found.
    const std::string copy(piece);
    if (session.on_bytes(copy, {.common_headers = kCommonHeaders}, out) != ipify::Next::kRead) break;
  }
  return out;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t step = 1 + data[0] % 64u;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = answers(bytes, 0);
  require(whole == answers(bytes, step));
  require(whole.empty() || whole.starts_with("HTTP/1.1 "));
  return 0;
}
