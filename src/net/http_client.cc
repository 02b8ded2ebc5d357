#include "net/http_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <list>

#include "base/strings.h"
#include "io/sync.h"
#include "net/connection.h"

namespace skiff::net {

namespace {

constexpr size_t kMaxResponseHead = 256 << 10;
constexpr Duration kIdleLifetime = std::chrono::seconds(60);  // below the time after which servers close
constexpr size_t kJoinedBody = 64 << 10;                      // sent together with the head

struct Idle {
  std::unique_ptr<Connection> connection;
  MonotonicTime since;
};

// Connections that wait for another request; the newest is used first.
struct Pool {
  io::Loop& loop;
  size_t limit;
  std::list<Idle> idle;

  std::unique_ptr<Connection> take() {
    std::erase_if(idle, [&](const Idle& entry) { return loop.now() - entry.since > kIdleLifetime; });
    if (idle.empty()) return nullptr;
    auto connection = std::move(idle.back().connection);
    idle.pop_back();
    return connection;
  }
  void give(std::unique_ptr<Connection> connection) {
    if (limit == 0 || !connection->received().empty()) return;
    idle.push_back({std::move(connection), loop.now()});
    if (idle.size() > limit) idle.pop_front();
  }
};

class OpenResponse final : public ClientStream, public BodyReader {
 public:
  OpenResponse(std::shared_ptr<Pool> pool, std::unique_ptr<Connection> connection, wire::ResponseHead head)
      : pool_(std::move(pool)),
        connection_(std::move(connection)),
        body_(*connection_, head.body),
        raw_(*connection_),
        keep_alive_(head.keep_alive && head.status != 101) {
    head_.status = head.status;
    head_.headers = Headers(std::move(head.fields));
  }
  ~OpenResponse() override {
    if (keep_alive_ && body_.done()) pool_->give(std::move(connection_));
  }
  const Response& head() const override { return head_; }
  Response& head() { return head_; }
  BodyReader& body() override { return *this; }
  io::Stream& raw() override { return raw_; }
  io::Task<Result<std::string>> read_some() override {
    auto piece = co_await body_.read_some();
    if (!piece) keep_alive_ = false;
    co_return piece;
  }

 private:
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Connection> connection_;
  FramedBody body_;
  RawStream raw_;
  bool keep_alive_;
  Response head_;
};

// RFC 9110 9.2.2.
bool is_idempotent(std::string_view method) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
  return std::ranges::count(kMethods, method) > 0;
}

// Whether the server has left a connection that waits for a request; one that talks unasked is of no use
// either. Costs a turn of the loop.
io::Task<bool> is_still_open(Connection& connection) {
  auto got = co_await io::with_timeout(connection.loop(), Duration::zero(), connection.fill());
  co_return !got && got.error().code == Code::kTimeout;
}

enum class Framing { kLength, kChunked };

Result<std::string> encode_request_head(const Request& request, const std::string& host, Framing framing) {
  if (!wire::is_token(request.method)) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a request method", request.method));
  }
  if (!wire::is_target(request.target)) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" cannot be a request target", request.target));
  }
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  if (!request.headers.find("Host")) wire::append_field(out, "Host", host);
  for (const auto& [name, value] : request.headers.all()) {
    const bool ours =
        equals_ignore_case(name, "content-length") || equals_ignore_case(name, "transfer-encoding");
    if (!ours && wire::is_token(name)) wire::append_field(out, name, value);
  }
  const bool bodiless = request.method == "GET" || request.method == "HEAD" || request.method == "DELETE" ||
                        request.method == "OPTIONS";
  if (framing == Framing::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (!request.body.empty() || !bodiless) {
    wire::append_field(out, "Content-Length", std::to_string(request.body.size()));
  }
  out.append("\r\n");
  return out;
}

io::Task<Result<wire::ResponseHead>> receive_one_head(Connection& connection, std::string method) {
  wire::HeadScanner scanner(kMaxResponseHead);
  for (;;) {
    const auto length = scanner.scan(connection.received());
    if (!length) co_return std::unexpected(length.error());
    if (*length > 0) {
      auto head = wire::parse_response_head(connection.received().substr(0, *length), method);
      connection.consume(*length);
      co_return head;
    }
    auto got = co_await connection.fill();
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(Code::kUnavailable, "the server closed the connection before it answered");
  }
}

// The final head: interim answers (100 Continue, 103 Early Hints) are passed over.
io::Task<Result<wire::ResponseHead>> receive_head(Connection& connection, std::string method,
                                                  Duration limit) {
  CloseTimer timer(connection.loop(), connection.stream(), limit);
  for (;;) {
    auto head = co_await receive_one_head(connection, method);
    if (timer.fired()) co_return fail(Code::kTimeout, "the server did not answer in time");
    if (!head || head->status >= 200 || head->status == 101) co_return head;
  }
}

io::Task<Result<void>> send_chunks(Connection& connection, BodyReader& body, Duration stall) {
  for (;;) {
    auto piece = co_await body.read_some();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    const std::string chunk = fmt::format("{:x}\r\n", piece->size()) + *piece + "\r\n";
    auto sent = co_await connection.write(chunk, stall);
    SKIFF_CO_RETURN_IF_ERROR(sent);
  }
  auto ended = co_await connection.write("0\r\n\r\n", stall);
  co_return ended;
}

// The body that follows `open`, into a whole response.
io::Task<Result<Response>> collect(std::unique_ptr<OpenResponse> open, size_t limit) {
  auto body = co_await read_all(open->body(), limit);
  if (!body) co_return wrap(body.error(), "read the server's answer");
  Response response = std::move(open->head());
  response.body = std::move(*body);
  co_return response;
}

}  // namespace

struct HttpClient::Impl {
  Impl(io::Loop& l, io::Network& n, ClientOptions o)
      : loop(l),
        network(n),
        options(std::move(o)),
        pool(std::make_shared<Pool>(l, options.max_idle_connections)) {
    host = options.host;
    if (host.empty()) host = options.address.unix_path.empty() ? options.address.to_string() : "localhost";
  }

  static io::Task<Result<std::unique_ptr<io::Stream>>> connect_stream(Impl* self);
  io::Task<Result<std::unique_ptr<Connection>>> connect();
  io::Task<Result<std::unique_ptr<OpenResponse>>> exchange(std::unique_ptr<Connection> connection,
                                                           const Request& request, bool& answered);
  io::Task<Result<std::unique_ptr<OpenResponse>>> open(const Request& request);
  io::Task<Result<std::unique_ptr<OpenResponse>>> stream_up(const Request& head, BodyReader& body);

  io::Loop& loop;
  io::Network& network;
  ClientOptions options;
  std::string host;
  std::shared_ptr<Pool> pool;
};

io::Task<Result<std::unique_ptr<io::Stream>>> HttpClient::Impl::connect_stream(Impl* self) {
  auto stream = co_await self->network.connect(self->options.address);
  if (!stream || !self->options.tls) co_return stream;
  auto secured = co_await connect_tls(self->options.tls, std::move(*stream));
  if (!secured) co_return wrap(secured.error(), "TLS with " + self->options.address.to_string());
  co_return std::unique_ptr<io::Stream>(std::move(*secured));
}

io::Task<Result<std::unique_ptr<Connection>>> HttpClient::Impl::connect() {
  auto stream = co_await io::with_timeout(loop, options.connect_timeout, connect_stream(this));
  if (!stream) {
    Error error = stream.error();
    if (error.code == Code::kTimeout) {
      error.message = "connect to " + options.address.to_string() + ": no answer in time";
    }
    co_return std::unexpected(not_sent(std::move(error)));
  }
  co_return std::make_unique<Connection>(loop, std::move(*stream));
}

// Sends the request and receives the head. `answered` says afterwards whether any byte of an answer arrived.
io::Task<Result<std::unique_ptr<OpenResponse>>> HttpClient::Impl::exchange(
    std::unique_ptr<Connection> connection, const Request& request, bool& answered) {
  auto text = encode_request_head(request, host, Framing::kLength);
  if (!text) {
    answered = true;
    co_return std::unexpected(text.error());
  }
  const bool joined = request.body.size() <= kJoinedBody;
  if (joined) text->append(request.body);
  auto sent = co_await connection->write(*text, options.response_timeout);
  if (sent && !joined) sent = co_await connection->write(request.body, options.response_timeout);
  // A server may refuse a body with an answer before it has read all of it: look for that first.
  auto head = co_await receive_head(*connection, request.method, options.response_timeout);
  answered = head.has_value() || !connection->received().empty() || head.error().code == Code::kTimeout;
  if (!head) co_return std::unexpected(sent ? head.error() : sent.error());
  if (!sent) head->keep_alive = false;
  co_return std::make_unique<OpenResponse>(pool, std::move(connection), std::move(*head));
}

io::Task<Result<std::unique_ptr<OpenResponse>>> HttpClient::Impl::open(const Request& request) {
  const bool repeatable = is_idempotent(request.method);
  for (;;) {
    auto pooled = pool->take();
    if (!pooled) break;
    if (!repeatable) {
      const bool usable = co_await is_still_open(*pooled);
      if (!usable) continue;
    }
    bool answered = false;
    auto opened = co_await exchange(std::move(pooled), request, answered);
    if (opened || answered) co_return opened;
    if (!repeatable) {
      co_return wrap(opened.error(),
                     fmt::format("no answer to {}, which the server may have carried out", request.method));
    }
  }
  auto fresh = co_await connect();
  if (!fresh) co_return std::unexpected(fresh.error());
  bool answered = false;
  auto opened = co_await exchange(std::move(*fresh), request, answered);
  co_return opened;
}

// Always on a new connection: the body cannot be produced a second time.
io::Task<Result<std::unique_ptr<OpenResponse>>> HttpClient::Impl::stream_up(const Request& head,
                                                                            BodyReader& body) {
  auto text = encode_request_head(head, host, Framing::kChunked);
  if (!text) co_return std::unexpected(text.error());
  auto connection = co_await connect();
  if (!connection) co_return std::unexpected(connection.error());
  auto sent = co_await (*connection)->write(*text, options.response_timeout);
  if (sent) sent = co_await send_chunks(**connection, body, options.response_timeout);
  const bool cut_short = !sent && sent.error().code != Code::kUnavailable;
  if (cut_short) co_return std::unexpected(sent.error());
  auto answer = co_await receive_head(**connection, head.method, options.response_timeout);
  if (!answer) co_return std::unexpected(sent ? answer.error() : sent.error());
  if (!sent) answer->keep_alive = false;
  co_return std::make_unique<OpenResponse>(pool, std::move(*connection), std::move(*answer));
}

namespace {
struct NotSent final : ErrorDetails {};
}  // namespace

Error not_sent(Error error) {
  error.details = std::make_shared<NotSent>();
  return error;
}

bool was_not_sent(const Error& error) {
  return dynamic_cast<const NotSent*>(error.details.get()) != nullptr;
}

HttpClient::HttpClient(io::Loop& loop, io::Network& network, ClientOptions options)
    : impl_(std::make_unique<Impl>(loop, network, std::move(options))) {}

HttpClient::~HttpClient() = default;

io::Task<Result<Response>> HttpClient::send(Request request) {
  auto opened = co_await impl_->open(request);
  if (!opened) co_return std::unexpected(opened.error());
  auto response = co_await collect(std::move(*opened), impl_->options.max_body);
  co_return response;
}

io::Task<Result<std::unique_ptr<ClientStream>>> HttpClient::open(Request request) {
  auto opened = co_await impl_->open(request);
  if (!opened) co_return std::unexpected(opened.error());
  co_return std::unique_ptr<ClientStream>(std::move(*opened));
}

io::Task<Result<Response>> HttpClient::send_streaming(Request head, BodyReader& body) {
  auto opened = co_await impl_->stream_up(head, body);
  if (!opened) co_return std::unexpected(opened.error());
  auto response = co_await collect(std::move(*opened), impl_->options.max_body);
  co_return response;
}

}  // namespace skiff::net
