// Every bound of the edge, in one place: sizes are constants, times and counts can be set (tests make them
// short).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace skiff::edge {

using Millis = std::chrono::milliseconds;

inline constexpr size_t kMaxTargetBytes = 16 << 10;   // request target; 414 above
inline constexpr size_t kMaxHeadBytes = 32 << 10;     // request head; 431 above
inline constexpr size_t kMaxResponseHead = 64 << 10;  // response head; H25 above
inline constexpr size_t kMaxFields = 128;             // header fields of a message
inline constexpr size_t kMaxChunkLine = 4 << 10;      // a chunk's size with its extensions
inline constexpr size_t kMaxTrailerBytes = 8 << 10;   // the trailers of a body
inline constexpr size_t kMaxConnectionOptions = 32;   // tokens of Connection: each field is looked up in them
inline constexpr size_t kScratchBytes = 256 << 10;    // one read; a worker owns one such buffer
inline constexpr size_t kReplayBytes = 64 << 10;      // a request kept to be sent again, head and body
inline constexpr size_t kTurnBytes = 1 << 20;         // of one connection, before others get their turn
inline constexpr int kReadsPerTurn = kTurnBytes / kScratchBytes;
inline constexpr size_t kMaxIdlePerEndpoint = 256;  // pooled connections of a worker
inline constexpr int kMaxAttempts = 10;             // pods tried for a request
inline constexpr size_t kLogFlushBytes = 64 << 10;  // router lines a worker hands on at once
inline constexpr size_t kMaxLogQueue = 8 << 20;     // bytes of lines that wait for the platform; L10 above
inline constexpr size_t kMaxLeaves = 1024;  // certificates kept, some 10 KB each; then the least used goes
inline constexpr std::chrono::days kLeafLifetime{30};
inline constexpr std::chrono::days kLeafRenewal{20};  // a new one is shown to those who ask after this time
inline constexpr Millis kLogDelay{100};               // how long a worker keeps a line to itself
inline constexpr Millis kSweep{250};                  // how late a timeout may be noticed

// Of one worker.
struct Limits {
  size_t max_connections = 20000;  // clients; H22 above
  size_t max_held = 2000;          // requests that wait for a pod; H11 above
  size_t max_held_of_one = 500;    // those of one namespace, so that one app can't take all places
  uint64_t max_body = 0;           // bytes of a request's body, 413 above; 0: none, bodies are streamed

  Millis client_idle{60000};      // keep-alive without a request
  Millis head{30000};             // first to last byte of a head, TLS handshake included; 408
  Millis connect{5000};           // H19
  Millis first_byte{30000};       // H12
  Millis idle{55000};             // silence of a running exchange: H15, H28
  Millis platform{3600000};       // the same for the platform, whose pushes and followed logs may be silent
  Millis hold{75000};             // H20
  Millis boot{10000};             // after a start, for the first whole route table; 503 with Retry-After
  Millis refused_hold{250};       // all pods refused: a new route table may name another; H21
  Millis quarantine{5000};        // a pod that refused is not asked again
  Millis upstream_idle{4000};     // below the 5 s after which common servers hang up
  Millis upstream_proof{20};      // a pod that still keeps a connection then does keep connections
  Millis upstream_trusted{1000};  // idle for longer, a connection gets no request that can't be sent twice
  Millis linger{30000};           // reading on after an early answer, so that it is not lost,
  Millis linger_silence{5000};    // as long as the client sends
};

}  // namespace skiff::edge
