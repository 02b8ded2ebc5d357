// An HTTP/1.1 server: one task a connection, keep-alive, streaming both ways, upgrades. TLS when configured.
//
// A handler answers through its ResponseWriter, once: send(), or start() + write()... + finish(), or
// upgrade(). When the client goes away while a handler streams, the handler's task is dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "io/scope.h"
#include "io/stream.h"
#include "net/http.h"
#include "net/tls.h"

namespace skiff::net {

class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  // A whole response with Content-Length (gzip is the handler's business).
  virtual io::Task<Result<void>> send(Response response) = 0;
  // A chunked response, or one of exactly Content-Length bytes when `response` has that header; its body is
  // ignored.
  virtual io::Task<Result<void>> start(Response response) = 0;
  // One chunk, flushed at once. An error means the client is gone.
  virtual io::Task<Result<void>> write(std::string_view chunk) = 0;
  virtual io::Task<Result<void>> finish() = 0;
  // Sends a 101 (its headers included) and gives the raw stream; the connection then ends with the handler.
  virtual io::Task<Result<io::Stream*>> upgrade(Response response) = 0;
  virtual bool started() const = 0;
};

// The request and the body live until the task ends.
using Handler =
    std::function<io::Task<void>(const Request& request, BodyReader& body, ResponseWriter& writer)>;

struct ServerLimits {
  size_t max_header_bytes = 64 << 10;  // request line and headers; 431 beyond
  size_t max_connections = 4096;       // further ones wait in the listen queue
  // For each of: the TLS handshake, the first byte of the first request, the rest of any head.
  Duration header_timeout = std::chrono::seconds(10);
  Duration idle_timeout = std::chrono::seconds(120);  // between requests
  Duration stall_timeout =
      std::chrono::seconds(120);         // a client that takes nothing of an answer for so long is gone
  uint64_t max_body_bytes = UINT64_MAX;  // a request's body; 413 beyond
};

class HttpServer {
 public:
  // `tls` null: plain HTTP. The loop, the listener's network and the TLS context outlive the server.
  HttpServer(io::Loop& loop, std::unique_ptr<io::Listener> listener, Handler handler,
             std::shared_ptr<TlsServerContext> tls = nullptr, ServerLimits limits = {});
  ~HttpServer();
  const io::Address& address() const;
  // For an orderly stop: takes no more connections, closes those that wait for a request, and gives requests
  // that have begun `grace` to be answered, with "Connection: close". Answers without an announced length
  // (watches, followed logs) and upgraded connections are not waited for. Whatever is left then is cut;
  // Timeout when that was an answer.
  io::Task<Result<void>> drain(Duration grace);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skiff::net
