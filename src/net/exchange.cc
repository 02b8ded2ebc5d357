#include "net/exchange.h"

#include <fmt/core.h>

#include "base/strings.h"

namespace skiff::net {

namespace {

constexpr Duration kHalfCloseGrace =
    std::chrono::seconds(30);                               // an answer for a client that only ended its side
constexpr Duration kStreamGrace = std::chrono::seconds(1);  // the same once the answer streams
constexpr size_t kMaxPipelined = 64 << 10;                  // bytes of further requests kept while one runs
constexpr uint64_t kMaxDrain = 256 << 10;                   // of a body that the handler did not want

// Runs a new task to its first suspension.
void begin(io::Task<void>& task) {
  task.operator co_await().handle.resume();
}

bool has_counted_length(const Response& response) {
  const auto length = response.headers.find("Content-Length");
  return length && parse_uint(*length);
}

}  // namespace

Exchange::Exchange(ServerContext& server, Connection& connection, wire::RequestHead head, const Peer& peer)
    : server_(server),
      connection_(connection),
      request_{std::move(head.method), std::move(head.target), Headers(std::move(head.fields)), {}, peer},
      body_(connection, head.body),
      raw_(connection),
      http_1_0_(head.minor_version == 0),
      keep_alive_(head.keep_alive),
      expects_continue_(head.expects_continue),
      done_(server.loop) {}

io::Task<bool> Exchange::run() {
  handler_task_ = run_handler(this);
  begin(handler_task_);
  if (body_.done() && !done_.is_set()) start_watching();
  co_await done_.wait();
  handler_task_ = {};
  watcher_ = {};
  if (!handler_done_) co_return false;
  if (state_ == State::kWaiting) co_await answer_for_handler();
  if (state_ != State::kComplete || !keep_alive_ || server_.draining) co_return false;
  auto drained = co_await drain_body();
  co_return drained;
}

io::Task<void> Exchange::run_handler(Exchange* self) {
  auto task = self->server_.handler(self->request_, *self, *self);
  co_await task;
  self->handler_done_ = true;
  self->done_.set();
}

void Exchange::start_watching() {
  if (watching_ || state_ == State::kUpgraded) return;
  watching_ = true;
  watcher_ = watch_client(this);
  begin(watcher_);
}

io::Task<void> Exchange::watch_client(Exchange* self) {
  for (;;) {
    if (self->connection_.received().size() >= kMaxPipelined) co_return;
    auto got = co_await self->connection_.fill();
    if (got && *got > 0) continue;
    if (got) {
      co_await io::sleep(self->server_.loop, self->streamed_ ? kStreamGrace : kHalfCloseGrace);
    }
    self->done_.set();
    co_return;
  }
}

// For a handler that ended without an answer: what went wrong with the body, else our own failure.
io::Task<void> Exchange::answer_for_handler() {
  keep_alive_ = false;
  Response response = Response::text(500, "the server gave no answer to this request\n");
  if (body_error_.code != Code::kEof) {
    response =
        Response::text(body_error_.code == Code::kResourceExhausted ? 413 : status_of(body_error_.code),
                       body_error_.message + "\n");
  }
  co_await send(std::move(response));
}

io::Task<bool> Exchange::drain_body() {
  if (body_.done()) co_return true;
  // Such a client may or may not send its body now: only a new connection is unambiguous.
  if (expects_continue_) co_return false;
  CloseTimer timer(server_.loop, connection_.stream(), server_.limits.header_timeout);
  uint64_t drained = 0;
  while (!body_.done() && drained < kMaxDrain) {
    auto piece = co_await body_.read_some();
    if (!piece) co_return false;
    drained += piece->size();
  }
  co_return body_.done();
}

io::Task<Result<std::string>> Exchange::read_some() {
  if (expects_continue_ && state_ == State::kWaiting && !body_.done()) {
    expects_continue_ = false;
    auto asked = co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n", server_.limits.stall_timeout);
    if (!asked) co_return std::unexpected(asked.error());
  }
  auto piece = co_await body_.read_some();
  if (piece) {
    body_bytes_ += piece->size();
    if (body_bytes_ > server_.limits.max_body_bytes) {
      piece = fail(Code::kResourceExhausted,
                   fmt::format("the body is larger than {} bytes", server_.limits.max_body_bytes));
    }
  }
  if (!piece) {
    body_error_ = piece.error();
    keep_alive_ = false;
  }
  if (body_.done()) start_watching();
  co_return piece;
}

bool Exchange::forbids_body(int status) const {
  return request_.method == "HEAD" || status < 200 || status == 204 || status == 304;
}

std::string Exchange::encode_head(const Response& response) const {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, status_text(response.status));
  for (const auto& [name, value] : response.headers.all()) {
    const bool ours = equals_ignore_case(name, "content-length") ||
                      equals_ignore_case(name, "transfer-encoding") ||
                      (response.status != 101 && equals_ignore_case(name, "connection"));
    if (!ours && wire::is_token(name)) wire::append_field(out, name, value);
  }
  if (!response.headers.find("Date"))
    wire::append_field(out, "Date", format_http_date(server_.loop.wall_now()));
  if (response.status == 101) return out;
  if (!keep_alive_ || server_.draining) {
    out.append("Connection: close\r\n");
  } else if (http_1_0_) {
    out.append("Connection: keep-alive\r\n");
  }
  return out;
}

// Broken until the bytes are out, so that a write cut short ends the connection.
io::Task<Result<void>> Exchange::transmit(std::string_view bytes, State after) {
  state_ = State::kBroken;
  auto written = co_await connection_.write(bytes, server_.limits.stall_timeout);
  if (written) state_ = after;
  co_return written;
}

io::Task<Result<void>> Exchange::send(Response response) {
  if (started()) co_return fail(Code::kInternal, "the request is answered already");
  if (response.headers.has_token("Connection", "close")) keep_alive_ = false;
  const bool no_body = forbids_body(response.status);
  std::string head = encode_head(response);
  if (!no_body || (request_.method == "HEAD" && !has_counted_length(response))) {
    wire::append_field(head, "Content-Length", std::to_string(response.content().size()));
  } else if (request_.method == "HEAD") {
    wire::append_field(head, "Content-Length", response.headers.get("Content-Length"));
  }
  head.append("\r\n");
  const std::string_view content = no_body ? std::string_view() : response.content();
  constexpr size_t kJoined = 64 << 10;  // one write, one packet for small answers; no copy of large ones
  if (content.size() <= kJoined) {
    head.append(content);
    auto sent = co_await transmit(head, State::kComplete);
    co_return sent;
  }
  auto sent = co_await transmit(head, State::kStreaming);
  SKIFF_CO_RETURN_IF_ERROR(sent);
  sent = co_await transmit(content, State::kComplete);
  co_return sent;
}

io::Task<Result<void>> Exchange::start(Response response) {
  if (started()) co_return fail(Code::kInternal, "the request is answered already");
  if (response.headers.has_token("Connection", "close")) keep_alive_ = false;
  streamed_ = true;
  if (has_counted_length(response)) {
    coding_ = Coding::kCounted;
    counted_left_ = *parse_uint(response.headers.get("Content-Length"));
  } else if (http_1_0_) {
    coding_ = Coding::kUntilClose;
    keep_alive_ = false;
  }
  std::string head = encode_head(response);
  if (coding_ == Coding::kCounted && response.status != 204) {
    wire::append_field(head, "Content-Length", std::to_string(counted_left_));
  }
  if (forbids_body(response.status)) {
    coding_ = Coding::kNoBody;
  } else if (coding_ == Coding::kChunked) {
    head.append("Transfer-Encoding: chunked\r\n");
  }
  head.append("\r\n");
  auto sent = co_await transmit(head, State::kStreaming);
  co_return sent;
}

io::Task<Result<void>> Exchange::write(std::string_view chunk) {
  if (state_ != State::kStreaming) co_return fail(Code::kInternal, "the answer takes no more bytes");
  if (chunk.empty() || coding_ == Coding::kNoBody) co_return Result<void>{};
  if (coding_ == Coding::kCounted) {
    if (chunk.size() > counted_left_) {
      co_return fail(Code::kInternal, "the answer is longer than its Content-Length");
    }
    counted_left_ -= chunk.size();
  }
  if (coding_ != Coding::kChunked) {
    auto sent = co_await transmit(chunk, State::kStreaming);
    co_return sent;
  }
  scratch_ = fmt::format("{:x}\r\n", chunk.size());
  scratch_.append(chunk).append("\r\n");
  auto sent = co_await transmit(scratch_, State::kStreaming);
  co_return sent;
}

io::Task<Result<void>> Exchange::finish() {
  if (state_ != State::kStreaming) co_return fail(Code::kInternal, "no answer is being streamed");
  if (coding_ == Coding::kCounted && counted_left_ > 0) {
    state_ = State::kBroken;
    co_return fail(Code::kInternal, "the answer is shorter than its Content-Length");
  }
  const std::string_view end = coding_ == Coding::kChunked ? "0\r\n\r\n" : "";
  auto sent = co_await transmit(end, State::kComplete);
  co_return sent;
}

io::Task<Result<io::Stream*>> Exchange::upgrade(Response response) {
  if (started()) co_return fail(Code::kInternal, "the request is answered already");
  if (!body_.done())
    co_return fail(Code::kInvalidArgument, "a request to upgrade has a body that was not read");
  response.status = 101;
  // From here on the handler reads; bytes that the watcher took are first in the raw stream.
  watcher_ = {};
  watching_ = true;
  keep_alive_ = false;
  std::string head = encode_head(response);
  head.append("\r\n");
  auto sent = co_await transmit(head, State::kUpgraded);
  if (!sent) co_return std::unexpected(sent.error());
  co_return static_cast<io::Stream*>(&raw_);
}

int status_of(Code code) {
  switch (code) {
    case Code::kResourceExhausted:
      return 431;
    case Code::kTimeout:
      return 408;
    case Code::kUnimplemented:
      return 501;
    default:
      return 400;
  }
}

std::string format_http_date(WallTime time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - days));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[std::chrono::weekday(days).c_encoding()], static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string encode_refusal(int status, std::string_view text, WallTime now) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nDate: {}\r\nConnection: close\r\n"
      "Content-Length: {}\r\n\r\n{}\n",
      status, status_text(status), format_http_date(now), text.size() + 1, text);
}

}  // namespace skiff::net
