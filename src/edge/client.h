// What a worker keeps for each client, each pod's address and each connection to a pod.
//
// A client serves one request at a time: kHead -> (kHeld) -> kConnecting -> kExchange -> kHead, or kTunnel
// after a 101, or kFlush/kLinger before the end.
#pragma once

#include <netinet/in.h>

#include <string>
#include <vector>

#include "edge/balance.h"
#include "edge/body.h"
#include "edge/conn.h"
#include "edge/report.h"
#include "edge/visitor.h"

namespace skiff::edge {

struct Upstream;

// What this worker knows of one pod's address.
struct Target {
  sockaddr_storage address{};
  socklen_t address_size = 0;
  PodLoad load;
  std::vector<Upstream*> idle;  // the longest idle first
};

struct Client : Conn {
  Client() : Conn(Kind::kClient) {}
  enum class State : unsigned char {
    kHead,        // waits for a request
    kHeld,        // waits for a pod
    kConnecting,  // to a pod
    kExchange,    // request and response on their way
    kTunnel,      // bytes both ways after a 101
    kFlush,       // what is left to send, then the end
    kLinger       // reads what still comes, so that the answer is not lost to a reset
  } state = State::kHead;
  size_t index = 0;      // in the worker's list
  bool again = false;    // in the worker's list of clients to drive once more,
  size_t again_at = 0;   // at this place
  bool excess = false;   // above the limit of connections: answered with H22
  size_t scanned = 0;    // bytes of `in` that hold no end of a head
  int64_t deadline = 0;  // ms
  int64_t linger_end = 0;
  bool timed_out = false;  // it has had its time and gets no more to end what it sends
  std::string ip;
  bool preface = false;  // the PROXY protocol's header comes first
  bool relayed = false;  // it came, and `ip` and `port` are what it says
  bool trusted = false;  // `ip` is a trusted proxy's
  std::string port;      // that the visitor connected to

  // The request being served.
  std::string method, path, host, request_id;
  Visitor visitor;  // as a trusted proxy tells
  std::string_view visitor_ip() const {
    return trusted ? std::string_view(visitor.ip) : std::string_view(ip);
  }
  bool is_https() const { return trusted ? visitor.tls : ssl != nullptr; }
  std::string request;  // head and body so far, kept to be sent again
  bool replayable = true;
  bool idempotent = true;
  bool keep_alive = true;
  bool to_head = false;
  bool upgrade = false;
  bool response_started = false;
  bool platform = false;
  int minor = 1;
  Body body;
  uint64_t body_bytes = 0;  // of the request, with its framing
  Body response_body;
  Upstream* upstream = nullptr;
  std::string log_namespace, dyno;
  std::string held_for;    // the namespace whose place it has while it is held
  std::string_view cause;  // what of a head or body was malformed
  int attempts = 0;
  int losses = 0;  // fresh connections that died before any byte of a response
  Fault last_fault = Fault::kNone;
  int status = 0;
  uint64_t bytes = 0;
  int64_t started = 0, connect_started = 0, connected = -1;
};

struct Upstream : Conn {
  Upstream() : Conn(Kind::kUpstream) {}
  Target* target = nullptr;
  Client* client = nullptr;  // null: idle in the pool
  bool connecting = false;
  bool reused = false;
  bool proven = false;     // the pod has kept it after a response
  size_t scanned = 0;      // bytes of `in` that hold no end of a head
  bool any_bytes = false;  // of a response to the present request
  bool head_done = false;
  bool keep_alive = true;
  int64_t idle_since = 0;
};

// What becomes of a client whose deadline has passed: closed in silence, answered 408, or failed with a
// fault.
struct Expiry {
  enum class Kind : uint8_t { kClose, kHeadTimeout, kRetry, kFail } kind;
  Fault fault = Fault::kNone;
};
Expiry plan_expiry(Client::State state, bool head_begun, bool response_started, bool body_done,
                   Fault last_fault);

// Methods that may be sent twice (RFC 9110 9.2.2).
bool is_idempotent(std::string_view method);

}  // namespace skiff::edge
