// One socket of a worker, with or without TLS: reads, one gathered write a turn, and what could not be
// written yet.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <string_view>

namespace skiff::edge {

struct Conn {
  enum class Kind : unsigned char { kListener, kTlsListener, kWake, kClient, kUpstream } kind;
  explicit Conn(Kind k) : kind(k) {}
  ~Conn();
  Conn(const Conn&) = delete;

  int fd = -1;
  SSL* ssl = nullptr;
  bool readable = false;  // a read may find something
  bool hung_up = false;   // the peer has ended its direction: reads go on until they give 0
  bool ended = false;     // a read found the end of what the peer sends
  bool shut = false;      // our direction is ended, too
  bool paced = false;     // the kernel keeps little for it
  bool dead = false;      // freed at the end of the turn
  std::string in;         // received, not used yet
  std::string out;        // to be written when the peer takes it
  size_t out_at = 0;

  bool blocked() const { return out_at < out.size(); }
  enum class Read { kData, kEnd, kAgain, kError };
  Read read(char* buffer, size_t size, size_t& got);
  // False when the peer is gone.
  bool write(std::string_view head, std::string_view body = {});
  bool flush();
  // Before much is written: the kernel would take megabytes for a peer that reads slowly, and hide for
  // minutes that it moves.
  void pace();
  void shutdown_write();
  void close();
  // Ends with a reset, so that the peer can tell a message cut off from a complete one.
  void abort();
};

}  // namespace skiff::edge
