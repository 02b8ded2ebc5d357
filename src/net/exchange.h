// One request on a server connection and the answer to it.
//
// The handler and the watcher of the client are tasks of the exchange, so that dropping the exchange
// drops both. The watcher starts when the body has been read to its end: from then on the connection has no
// other reader, and an end of stream means that the client left.
#pragma once

#include <string>

#include "io/sync.h"
#include "net/connection.h"
#include "net/http_server.h"

namespace skiff::net {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
std::string format_http_date(WallTime time);

// The settings of a server that its connections share.
struct ServerContext {
  io::Loop& loop;
  Handler handler;
  ServerLimits limits;
  bool draining = false;  // connections end with the answer they are at
};

class Exchange final : public BodyReader, public ResponseWriter {
 public:
  // All outlive the exchange.
  Exchange(ServerContext& server, Connection& connection, wire::RequestHead head, const Peer& peer);

  // Runs the handler to its end or until the client leaves. True when the connection can take another
  // request.
  io::Task<bool> run();
  // After run() gave false: the whole answer was sent and the client should get to read it.
  bool ended_cleanly() const { return state_ == State::kComplete; }
  // True while the answer is one that nobody knows the end of.
  bool open_ended() const {
    return state_ == State::kUpgraded ||
           (state_ == State::kStreaming && streamed_ && coding_ != Coding::kCounted);
  }

  io::Task<Result<std::string>> read_some() override;

  io::Task<Result<void>> send(Response response) override;
  io::Task<Result<void>> start(Response response) override;
  io::Task<Result<void>> write(std::string_view chunk) override;
  io::Task<Result<void>> finish() override;
  io::Task<Result<io::Stream*>> upgrade(Response response) override;
  bool started() const override { return state_ != State::kWaiting; }

 private:
  enum class State {
    kWaiting,    // nothing sent
    kStreaming,  // the head is sent, the body is not complete
    kComplete,   // the answer is complete
    kUpgraded,   // the handler has the raw stream
    kBroken,     // a write failed or was cut short: the connection is of no more use
  };
  enum class Coding { kChunked, kCounted, kUntilClose, kNoBody };

  static io::Task<void> run_handler(Exchange* self);
  static io::Task<void> watch_client(Exchange* self);
  io::Task<void> answer_for_handler();
  io::Task<bool> drain_body();
  io::Task<Result<void>> transmit(std::string_view bytes, State after);
  std::string encode_head(const Response& response) const;
  void start_watching();
  bool forbids_body(int status) const;

  ServerContext& server_;
  Connection& connection_;
  Request request_;
  FramedBody body_;
  RawStream raw_;
  bool http_1_0_;
  bool keep_alive_;
  bool expects_continue_;
  uint64_t body_bytes_ = 0;
  Error body_error_{Code::kEof, {}};  // kEof: none
  State state_ = State::kWaiting;
  Coding coding_ = Coding::kChunked;
  uint64_t counted_left_ = 0;
  std::string scratch_;
  bool streamed_ = false;  // the answer was begun by start()
  bool watching_ = false;
  bool handler_done_ = false;
  io::Event done_;
  // Started at once, not in a later step: a watcher dropped by an early upgrade must never have a step
  // pending.
  io::Task<void> watcher_;
  io::Task<void> handler_task_;
};

// The status for an error in a request's syntax or size.
int status_of(Code code);
// An answer of a server to a request that no handler sees; the connection closes after it.
std::string encode_refusal(int status, std::string_view text, WallTime now);

}  // namespace skiff::net
