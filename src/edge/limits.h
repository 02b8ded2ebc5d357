// Every bound of the edge, in one place.
#pragma once

#include <chrono>
#include <cstddef>

namespace skiff::edge {

using Millis = std::chrono::milliseconds;

inline constexpr size_t kMaxTargetBytes = 16 << 10;   // request target; 414 above
inline constexpr size_t kMaxHeadBytes = 32 << 10;     // request head; 431 above
inline constexpr size_t kMaxResponseHead = 64 << 10;  // response head; H17 above
inline constexpr size_t kMaxFields = 128;             // header fields of a message
inline constexpr size_t kMaxTrailerBytes = 8 << 10;   // chunk extensions and trailers of a body
inline constexpr size_t kScratchBytes = 64 << 10;     // one read; a worker owns one such buffer
inline constexpr size_t kReplayBytes = 64 << 10;      // a request kept to be sent again, head and body
inline constexpr size_t kMaxConnections = 20000;      // clients of a worker
inline constexpr size_t kMaxIdlePerEndpoint = 256;    // pooled connections of a worker
inline constexpr size_t kMaxHeld = 2000;              // requests of a worker that wait for a pod
inline constexpr int kMaxAttempts = 10;               // pods tried for a request
inline constexpr size_t kLogFlushBytes = 64 << 10;    // router lines handed on at once
inline constexpr size_t kMaxLogQueue = 8 << 20;  // bytes of lines that wait for the platform; dropped above

inline constexpr Millis kClientIdle{60000};        // keep-alive without a request
inline constexpr Millis kHeadTimeout{30000};       // first to last byte of a head; 408
inline constexpr Millis kConnectTimeout{5000};     // H19
inline constexpr Millis kFirstByte{30000};         // H12
inline constexpr Millis kIdleWindow{55000};        // H15, H28
inline constexpr Millis kHold{75000};              // H20
inline constexpr Millis kQuarantine{5000};         // a pod that refused is not asked again
inline constexpr Millis kUpstreamIdle{4000};       // below the 5 s after which common servers hang up
inline constexpr Millis kLinger{2000};             // reading on after an early answer, so that it is not lost
inline constexpr Millis kSweep{250};               // how late a timeout may be noticed
inline constexpr Millis kPlatformWindow{3600000};  // a push or a followed log has no 30 s limit

}  // namespace skiff::edge
