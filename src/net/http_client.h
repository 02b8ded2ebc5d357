// An HTTP/1.1 client for one origin, with a pool of kept-alive connections.
#pragma once

#include <memory>

#include "io/stream.h"
#include "net/http.h"
#include "net/tls.h"

namespace skiff::net {

// A response whose body is still arriving. Dropping it closes its connection unless the body was read to its
// end.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  virtual const Response& head() const = 0;  // status and headers
  virtual BodyReader& body() = 0;
  // After a 101: the raw stream, owned by this object; bytes already received come first.
  virtual io::Stream& raw() = 0;
};

struct ClientOptions {
  io::Address address;
  std::string host;                       // Host header; "" derives it from the address
  std::shared_ptr<TlsClientContext> tls;  // null: plain HTTP
  Duration connect_timeout = std::chrono::seconds(5);
  Duration response_timeout = std::chrono::seconds(60);  // to the response head
  size_t max_body = 256 << 20;                           // bytes that send() accepts
  size_t max_idle_connections = 16;
};

// The same error, of a request of which no byte left: the server can't have carried it out.
Error not_sent(Error error);
bool was_not_sent(const Error& error);

class HttpClient {
 public:
  HttpClient(io::Loop& loop, io::Network& network, ClientOptions options);
  ~HttpClient();
  // The whole response. When a pooled connection turns out to have died before any byte of a response, an
  // idempotent request (RFC 9110 9.2.2) is sent again on another one. Others are sent once: Unavailable says
  // then that the server may have carried it out. A connection that is known to be closed carries neither.
  io::Task<Result<Response>> send(Request request);
  // The head now, the body as it comes. No limit on how long the body takes.
  io::Task<Result<std::unique_ptr<ClientStream>>> open(Request request);
  // A request whose body is produced while it is sent (chunked).
  io::Task<Result<Response>> send_streaming(Request head, BodyReader& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skiff::net
