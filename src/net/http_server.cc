#include "net/http_server.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>

#include "io/sync.h"
#include "net/exchange.h"

namespace skiff::net {

namespace {

constexpr Duration kLinger = std::chrono::seconds(1);  // for the client to read our last answer
constexpr size_t kLingerBytes = 1 << 20;               // of what it still sends meanwhile
constexpr Duration kAcceptPause =
    std::chrono::milliseconds(100);  // after an error such as "too many open files"

// What a drain needs to know of a connection.
struct Activity {
  Connection& connection;
  bool served = false;           // a request has come
  bool idle = false;             // waits for a request of which nothing has come
  Exchange* exchange = nullptr;  // the request it is at
};

// Ends the connection so that the client can read our last bytes: closing with unread input resets it.
io::Task<void> linger(Connection& connection) {
  connection.stream().shutdown_write();
  CloseTimer timer(connection.loop(), connection.stream(), kLinger);
  for (size_t seen = 0; seen < kLingerBytes;) {
    connection.consume(connection.received().size());
    auto got = co_await connection.fill();
    if (!got || *got == 0) co_return;
    seen += *got;
  }
}

io::Task<void> refuse(ServerContext& server, Connection& connection, Error error) {
  const std::string answer = encode_refusal(status_of(error.code), error.message, server.loop.wall_now());
  co_await connection.write(answer, server.limits.stall_timeout);
  co_await linger(connection);
}

// Empty lines before a request are ignored (RFC 9112 2.2), and give nobody more time.
void skip_empty_lines(Connection& connection) {
  while (connection.received().starts_with("\r\n")) connection.consume(2);
}

// The length of the head at the front of what was received. Eof when the client left in peace.
io::Task<Result<size_t>> receive_rest_of_head(Connection& connection, size_t limit) {
  wire::HeadScanner scanner(limit);
  for (;;) {
    auto length = scanner.scan(connection.received());
    if (!length || *length > 0) co_return length;
    auto got = co_await connection.fill();
    if (!got) co_return fail(Code::kEof, got.error().message);
    if (*got == 0) co_return fail(Code::kEof, "the client left");
  }
}

io::Task<Result<size_t>> receive_head(ServerContext& server, Activity& activity) {
  Connection& connection = activity.connection;
  skip_empty_lines(connection);
  // Who never sent a request may be nobody: such a connection is not kept as long.
  std::optional<CloseTimer> timer;
  // A lone carriage return may be the first half of an empty line.
  while (connection.received().empty() || connection.received() == "\r") {
    if (!timer) {
      timer.emplace(server.loop, connection.stream(),
                    activity.served ? server.limits.idle_timeout : server.limits.header_timeout);
    }
    activity.idle = true;
    auto got = co_await connection.fill();
    activity.idle = false;
    if (!got || *got == 0) co_return fail(Code::kEof, "the client left");
    skip_empty_lines(connection);
  }
  timer.reset();
  wire::HeadScanner scanner(server.limits.max_header_bytes);
  auto length = scanner.scan(connection.received());
  if (!length || *length > 0) co_return length;
  length = co_await io::with_timeout(server.loop, server.limits.header_timeout,
                                     receive_rest_of_head(connection, server.limits.max_header_bytes));
  if (!length && length.error().code == Code::kTimeout) {
    co_return fail(Code::kTimeout, "the request's headers did not arrive in time");
  }
  co_return length;
}

// One request after the other, until the connection can take no more.
io::Task<void> serve_requests(ServerContext& server, Activity& activity, Peer peer) {
  Connection& connection = activity.connection;
  while (!server.draining) {
    auto length = co_await receive_head(server, activity);
    if (!length && length.error().code == Code::kEof) co_return;
    if (!length) {
      co_await refuse(server, connection, length.error());
      co_return;
    }
    auto head = wire::parse_request_head(connection.received().substr(0, *length));
    if (!head) {
      co_await refuse(server, connection, head.error());
      co_return;
    }
    connection.consume(*length);
    activity.served = true;
    const bool too_large = head->body.length > server.limits.max_body_bytes;
    if (too_large) {
      const std::string text = fmt::format("the body is larger than {} bytes", server.limits.max_body_bytes);
      const std::string answer = encode_refusal(413, text, server.loop.wall_now());
      co_await connection.write(answer, server.limits.stall_timeout);
      co_await linger(connection);
      co_return;
    }
    bool reusable = false;
    {
      Exchange exchange(server, connection, std::move(*head), peer);
      activity.exchange = &exchange;
      reusable = co_await exchange.run();
      activity.exchange = nullptr;
      if (!reusable && exchange.ended_cleanly()) co_await linger(connection);
    }
    if (!reusable) co_return;
  }
}

}  // namespace

struct HttpServer::Impl {
  Impl(io::Loop& l, std::unique_ptr<io::Listener> listening, Handler handler,
       std::shared_ptr<TlsServerContext> tls_context, ServerLimits limits)
      : loop(l),
        listener(std::move(listening)),
        context{l, std::move(handler), limits},
        tls(std::move(tls_context)),
        address(listener->address()),
        room(l),
        scope(l),
        acceptor(l) {}

  // Counts a connection for as long as its task lives, however that ends.
  struct Slot {
    explicit Slot(Impl* owner) : impl(owner) { ++impl->connections; }
    Slot(Slot&& other) noexcept : impl(std::exchange(other.impl, nullptr)) {}
    ~Slot() {
      if (!impl) return;
      --impl->connections;
      impl->room.set();
    }
    Impl* impl;
  };
  // Lists what a connection does, for as long as it is served.
  struct Entry {
    Entry(Impl* owner, Activity* one) : impl(owner), activity(one) { impl->activities.insert(activity); }
    Entry(const Entry&) = delete;
    ~Entry() { impl->activities.erase(activity); }
    Impl* impl;
    Activity* activity;
  };

  static io::Task<void> accept_loop(Impl* self);
  static io::Task<void> serve(Impl* self, Slot slot, std::unique_ptr<io::Stream> stream);
  static io::Task<Result<void>> wait_for_answers(Impl* self);
  bool owes_answers() const;

  io::Loop& loop;
  std::unique_ptr<io::Listener> listener;
  ServerContext context;
  std::shared_ptr<TlsServerContext> tls;
  io::Address address;
  size_t connections = 0;
  io::Event room;  // set when a connection ends
  std::set<Activity*> activities;
  io::TaskScope scope;
  io::TaskScope acceptor;
};

io::Task<void> HttpServer::Impl::accept_loop(Impl* self) {
  for (;;) {
    while (self->connections >= self->context.limits.max_connections) {
      self->room.reset();
      co_await self->room.wait();
    }
    auto stream = co_await self->listener->accept();
    if (stream) {
      self->scope.spawn(serve(self, Slot(self), std::move(*stream)));
    } else {
      co_await io::sleep(self->loop, kAcceptPause);
    }
  }
}

io::Task<void> HttpServer::Impl::serve(Impl* self, [[maybe_unused]] Slot slot,
                                       std::unique_ptr<io::Stream> stream) {
  Peer peer;
  peer.address = stream->peer();
  if (self->tls) {
    auto secured = co_await io::with_timeout(self->loop, self->context.limits.header_timeout,
                                             accept_tls(self->tls, std::move(stream)));
    if (!secured) co_return;
    peer.tls = true;
    peer.certificate_name = (*secured)->peer_certificate().common_name;
    peer.certificate_groups = (*secured)->peer_certificate().organizations;
    stream = std::move(*secured);
  }
  Connection connection(self->loop, std::move(stream));
  Activity activity{connection};
  const Entry entry(self, &activity);
  co_await serve_requests(self->context, activity, std::move(peer));
}

bool HttpServer::Impl::owes_answers() const {
  return std::any_of(activities.begin(), activities.end(), [](const Activity* activity) {
    return !activity->idle && !(activity->exchange && activity->exchange->open_ended());
  });
}

io::Task<Result<void>> HttpServer::Impl::wait_for_answers(Impl* self) {
  while (self->owes_answers()) {
    self->room.reset();
    co_await self->room.wait();
  }
  co_return Result<void>{};
}

HttpServer::HttpServer(io::Loop& loop, std::unique_ptr<io::Listener> listener, Handler handler,
                       std::shared_ptr<TlsServerContext> tls, ServerLimits limits)
    : impl_(std::make_unique<Impl>(loop, std::move(listener), std::move(handler), std::move(tls), limits)) {
  impl_->acceptor.spawn(Impl::accept_loop(impl_.get()));
}

HttpServer::~HttpServer() = default;

const io::Address& HttpServer::address() const {
  return impl_->address;
}

io::Task<Result<void>> HttpServer::drain(Duration grace) {
  impl_->acceptor.cancel();
  impl_->listener.reset();
  impl_->context.draining = true;
  for (Activity* activity : impl_->activities) {
    if (activity->idle) activity->connection.stream().close();
  }
  auto answered = co_await io::with_timeout(impl_->loop, grace, Impl::wait_for_answers(impl_.get()));
  impl_->scope.cancel();
  co_return answered;
}

}  // namespace skiff::net
