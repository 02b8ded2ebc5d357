// One connection's conversation without its socket: bytes in, bytes out.
//
//   head, complete                         -> answered: on to the next head, past a body that is small enough
//   to skip head, malformed, too large or too slow -> one error answer, then the end answered, but the client
//   wants to close, its body is large or of unknown size, or the server drains -> the end
//
// Answers leave in the order of their requests, however the bytes are cut (property of the fuzz target).
// Keeps at most kMaxHeadBytes + kReadBytes between calls. Used by one thread at a time.
//
//   out.clear();
//   Next next = session.on_bytes(bytes, {common_headers, Intake::kOpen}, out);   // send `out`, then do
//   `next`
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "address.h"
#include "answer.h"
#include "forwarded.h"
#include "http_parser.h"

namespace ipify {

enum class Next {
  kRead,    // more may come
  kClose,   // everything the client sent has been read
  kLinger,  // the client may still be sending: half-close, drop what comes, then close
};

// Whether connections live on after an answer.
enum class Intake { kOpen, kDraining };

struct Turn {
  std::string_view common_headers = {};
  Intake intake = Intake::kOpen;
};

class Session {
 public:
  // `trust` outlives the session.
  Session(const Address& peer, const TrustPolicy& trust);

  // Takes what was received and appends the answers to every request that is complete now. After anything but
  // kRead no more bytes may be given.
  Next on_bytes(std::string_view bytes, const Turn& turn, std::string& out);

  // The time for a request is over: appends the answer that says so, if a part of one is here.
  Next on_timeout(const Turn& turn, std::string& out);

  // A part of a request has arrived and the rest is awaited.
  bool mid_request() const { return !partial_.empty() || body_left_ > 0; }
  std::uint64_t answered() const { return answered_; }

 private:
  Next consume(std::string_view& rest, const Turn& turn, std::string& out);
  void skip_body(std::string_view& rest);
  Next answer(const Request& request, std::string_view& rest, const Turn& turn, std::string& out);
  Next refuse(const Refusal& refusal, const Turn& turn, std::string& out);
  AddressText client_of(const Request& request) const;

  const TrustPolicy* trust_;
  Address peer_;
  AddressText peer_text_;
  bool peer_trusted_;
  std::string partial_;      // the received part of the next head
  std::size_t scanned_ = 0;  // of partial_, known to hold no end of a head
  std::uint64_t body_left_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace ipify
