// Log sessions, the stream they lead to, and the router lines that the edge brings.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "io/sync.h"
#include "platform/apps/procfile.h"
#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/event_stream.h"
#include "platform/logs/frames.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr size_t kMaxEdgeBody = 1 << 20;
constexpr int64_t kDefaultLines = 100;
// Something is sent this often: below the 55 s after which a proxy takes a silent stream for dead.
constexpr Duration kKeepAlive = std::chrono::seconds(20);

std::string parameter(const net::Request& request, const char* name) {
  return request.query_parameter(name).value_or("");
}

}  // namespace

io::Task<Api::Answer> Api::answer_log_session(Question question) {
  if (question.method != "POST") co_return no_endpoint();
  const Value& body = question.body;
  const int64_t lines =
      std::clamp<int64_t>(body["lines"].as_int(kDefaultLines), 0, static_cast<int64_t>(kKeptLines));
  const std::string url = fmt::format("http://localhost{}/log-streams/{}?lines={}&tail={}&source={}&dyno={}",
                                      options_.url_port, question.app, lines, body["tail"].as_bool(),
                                      url_encode(body["source"].str()), url_encode(body["dyno"].str()));
  co_return json_response(201, Value::object({{"logplex_url", url}}));
}

io::Task<void> Api::stream_log(std::string app, const net::Request& request, net::ResponseWriter& writer) {
  auto found = co_await look_up(app, Renames::Use::kLook);
  if (!found) {
    auto sent = co_await writer.send(json_without_app(found.error()));
    co_return;
  }
  const LogFilter filter{parameter(request, "source"), parameter(request, "dyno")};
  const auto lines = parse_uint(parameter(request, "lines")).value_or(kDefaultLines);
  const auto seen = parse_uint(request.headers.get("Last-Event-ID"));
  const bool tail = parameter(request, "tail") == "true";
  auto cursor = seen ? logs_.resume(app, *seen, filter) : logs_.last(app, lines, filter);
  net::Response head;
  head.headers.set("Content-Type", "text/event-stream");
  head.headers.set("Cache-Control", "no-cache");
  auto going = co_await writer.start(std::move(head));
  if (going) going = co_await writer.write(event_stream_head(cursor.next));
  while (going && !LogStore::is_removed(cursor)) {
    const std::string text = logs_.take(cursor);
    if (!text.empty()) {
      going = co_await writer.write(encode_event(cursor.next, text));
    } else if (logs_.has_more(cursor)) {
      continue;
    } else if (tail) {
      auto more = co_await io::with_timeout(loop_, kKeepAlive, logs_.wait(cursor));
      if (more) continue;
      found = co_await apps_.get(app);
      if (!found && found.error().code == Code::kNotFound) break;  // deleted with kubectl
      going = co_await writer.write(encode_position(cursor.next));
    } else {
      break;
    }
  }
  if (going) auto finished = co_await writer.finish();
}

// All that the edge may do is to post log lines: octet-counted syslog frames (application/logplex-1).
io::Task<void> Api::serve_edge(const net::Request& request, net::BodyReader& body,
                               net::ResponseWriter& writer) {
  if (request.method != "POST" || request.path() != "/logs") {
    auto sent = co_await writer.send(error_response({Code::kForbidden, "the edge may only post log lines"}));
    co_return;
  }
  auto text = co_await net::read_all(body, kMaxEdgeBody);
  if (!text) {
    auto sent = co_await writer.send(error_response(text.error()));
    co_return;
  }
  std::map<std::string_view, std::vector<FramedLine>> by_app;
  for (const auto& line : parse_frames(*text)) by_app[line.app].push_back(line);
  for (const auto& [app, lines] : by_app) {
    if (check_app_name(app)) logs_.append_frames(std::string(app), "heroku", "router", lines);
  }
  auto sent = co_await writer.send(net::Response::text(200, ""));
}

}  // namespace skiff::platform
