// Every bound of the service, in one place. Each is met by a defined answer or a defined end, never by
// growth.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ipify {

// A request's line and headers together, in bytes. Room for an edge's 8 KB of cookies and its own headers.
inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;
// The request target, in bytes. The longest one with a meaning here is under 200.
inline constexpr std::size_t kMaxTargetBytes = 2 * 1024;
inline constexpr std::size_t kMaxHeaderLines = 128;
inline constexpr std::size_t kMaxForwardedLines = 8;
// No request needs a body; one this small is read and dropped so that its connection stays usable.
inline constexpr std::uint64_t kMaxSkippedBodyBytes = 64 * 1024;
// A JSONP callback, decoded, in characters.
inline constexpr std::size_t kMaxCallbackChars = 128;

// One read takes at most this much, so what one turn answers is bounded too.
inline constexpr std::size_t kReadBytes = 16 * 1024;
inline constexpr int kMaxEventsPerTurn = 256;
inline constexpr int kMaxAcceptsPerTurn = 64;
inline constexpr int kListenBacklog = 4096;

// All threads together. At kMaxHeadBytes each this is 128 MB in the worst case an attacker can reach.
inline constexpr std::size_t kMaxConnections = 8192;
// Descriptors that are not connections: listeners, epoll, events, the standard three.
inline constexpr std::size_t kReservedDescriptors = 64;
inline constexpr unsigned kMaxThreads = 256;

// Bytes read and dropped after the last answer, so that closing does not destroy it on its way.
inline constexpr std::size_t kMaxLingerBytes = 256 * 1024;

using Millis = std::chrono::milliseconds;

// How long each kind of waiting may last. A struct, not constants, only so that tests can shorten it.
struct Timeouts {
  // Between requests. Longer than an edge keeps its spare connections, so that the edge closes first.
  Millis idle{95'000};
  // From the first byte of a request to its end.
  Millis request{10'000};
  // For the first request of a connection that was made just before the server stopped.
  Millis first{1'000};
  // For the client to take an answer.
  Millis write{10'000};
  // For the client to close after the last answer.
  Millis linger{2'000};
  // At the connection limit, connections idle for longer than this make room.
  Millis evict_after{1'000};
  // How long a listener at its limit rests before it looks again.
  Millis accept_pause{50};
};

// After SIGTERM the edge may need this long to hear that it should send no more.
inline constexpr Millis kDefaultDrain{1'000};
inline constexpr Millis kMaxDrain{25'000};

}  // namespace ipify
