// Any bytes as a request, a response and a chunked body: no crash, and one framing however the bytes are cut.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http1.h"

namespace {

using skiff::wire::BodyDecoder;
using skiff::wire::BodyKind;

constexpr size_t kHeadLimit = 16 << 10;

// The body when it is complete and well-formed.
std::optional<std::string> decode(std::string_view bytes, size_t step) {
  BodyDecoder decoder({BodyKind::kChunked, 0});
  std::string out;
  while (!bytes.empty() && !decoder.done()) {
    const auto used = decoder.decode(bytes.substr(0, step), out);
    if (!used) return std::nullopt;
    bytes.remove_prefix(*used);
  }
  if (!decoder.done()) return std::nullopt;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  skiff::wire::HeadScanner scanner(kHeadLimit);
  if (const auto length = scanner.scan(bytes); length && *length > 0) {
    (void)skiff::wire::parse_request_head(bytes.substr(0, *length));
    (void)skiff::wire::parse_response_head(bytes.substr(0, *length), "GET");
  }
  if (decode(bytes, 1) != decode(bytes, size + 1)) __builtin_trap();
  return 0;
}
