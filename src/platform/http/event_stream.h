// Server-sent events (WHATWG HTML, section 9.2), as log streams use them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skiff::platform {

// Tells clients to come back at once when a stream ends.
std::string event_stream_head(uint64_t id);
// `lines` end in newlines each; a client that comes back names `id`.
std::string encode_event(uint64_t id, std::string_view lines);
// Nothing but where the stream is; keeps proxies from taking it for dead.
std::string encode_position(uint64_t id);

}  // namespace skiff::platform
