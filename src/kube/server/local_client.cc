#include "kube/server/local_client.h"

#include "base/strings.h"
#include "io/sync.h"
#include "kube/client/api_error.h"
#include "kube/client/http_client.h"

namespace skiff::kube {

namespace {

constexpr Duration kPause = std::chrono::milliseconds(100);  // after a lost watch

// What the in-process caller's request would say over HTTP: the routes do the rest.
struct Recorder final : net::ResponseWriter {
  io::Task<Result<void>> send(net::Response given) override {
    response = std::move(given);
    co_return Result<void>();
  }
  io::Task<Result<void>> start(net::Response given) override {
    response = std::move(given);
    co_return Result<void>();
  }
  io::Task<Result<void>> write(std::string_view chunk) override {
    response.body += chunk;
    if (sink) sink(response.body);
    co_return Result<void>();
  }
  io::Task<Result<void>> finish() override { co_return Result<void>(); }
  io::Task<Result<io::Stream*>> upgrade(net::Response) override {
    co_return fail(Code::kUnimplemented, "no stream in the same process");
  }
  bool started() const override { return false; }
  net::Response response;
  std::function<void(std::string&)> sink;  // takes whole lines of a watch
};

struct Text final : net::BodyReader {
  explicit Text(std::string given) : text(std::move(given)) {}
  io::Task<Result<std::string>> read_some() override { co_return std::exchange(text, std::string()); }
  std::string text;
};

bool is_success(const net::Response& response) {
  return response.status >= 200 && response.status <= 299;
}

class LocalClient final : public Client {
 public:
  LocalClient(io::Loop& loop, LocalServe serve) : loop_(loop), serve_(std::move(serve)) {}

  io::Task<Result<json::Value>> get(std::string path) override {
    return send("GET", std::move(path), "", {});
  }
  io::Task<Result<json::Value>> list(std::string path, std::string query) override {
    return send("GET", query.empty() ? path : path + "?" + query, "", {});
  }
  io::Task<Result<json::Value>> create(std::string path, json::Value object) override {
    return send("POST", std::move(path), "application/json", std::move(object));
  }
  io::Task<Result<json::Value>> update(std::string path, json::Value object) override {
    return send("PUT", std::move(path), "application/json", std::move(object));
  }
  io::Task<Result<json::Value>> patch(std::string path, PatchType type, json::Value value) override {
    return send("PATCH", std::move(path), std::string(patch_content_type(type)), std::move(value));
  }
  io::Task<Result<void>> remove(std::string path, json::Value options) override {
    Recorder recorder;
    std::string body = options.is_null() ? "" : json::encode(options);
    co_await serve_request("DELETE", std::move(path), "application/json", std::move(body), recorder);
    // The last states of what was deleted, of a whole namespace perhaps: nobody here reads them.
    const net::Response& response = recorder.response;
    if (is_success(response)) co_return Result<void>();
    co_return std::unexpected(error_from_answer(response.status, response.content()));
  }

  io::Task<void> follow(std::string path, std::string query, ChangeCallback callback) override {
    const std::string more = query.empty() ? "" : query + "&";
    std::string revision;
    for (;;) {
      if (revision.empty()) {
        auto all = co_await list(path, query);
        if (all) {
          callback({ObjectChange::Kind::kReset, {}});
          for (const auto& item : (*all)["items"].items()) callback({ObjectChange::Kind::kUpsert, item});
          callback({ObjectChange::Kind::kSynced, {}});
          revision = (*all)["metadata"]["resourceVersion"].str();
        } else {
          co_await io::sleep(loop_, kPause);
        }
        continue;
      }
      const std::string target =
          path + "?" + more + "watch=true&allowWatchBookmarks=true&resourceVersion=" + revision;
      Recorder recorder;
      bool expired = false;
      recorder.sink = [&](std::string& text) { take_lines(text, callback, revision, expired); };
      co_await serve_request("GET", target, "", "", recorder);
      if (expired) revision.clear();
      co_await io::sleep(loop_, kPause);
    }
  }

 private:
  static void take_lines(std::string& text, const ChangeCallback& callback, std::string& revision,
                         bool& expired) {
    const std::string whole = std::exchange(text, std::string());
    for (const auto& line_text : split(whole, '\n')) {
      if (line_text.empty()) continue;
      auto line = parse_watch_line(line_text);
      if (!line) {
        expired = true;
        return;
      }
      if (!line->revision.empty()) revision = line->revision;
      if (line->change) callback(*line->change);
    }
  }

  io::Task<void> serve_request(std::string method, std::string target, std::string type, std::string body,
                               Recorder& recorder) {
    net::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    if (!type.empty()) request.headers.set("Content-Type", type);
    Text reader(std::move(body));
    co_await serve_(request, reader, recorder);
  }

  io::Task<Result<json::Value>> send(std::string method, std::string target, std::string type,
                                     json::Value value) {
    Recorder recorder;
    std::string body = value.is_null() ? "" : json::encode(value);
    co_await serve_request(std::move(method), std::move(target), std::move(type), std::move(body), recorder);
    const net::Response& response = recorder.response;
    if (!is_success(response)) {
      co_return std::unexpected(error_from_answer(response.status, response.content()));
    }
    auto answer = json::parse(response.content());
    co_return answer;
  }

  io::Loop& loop_;
  LocalServe serve_;
};

}  // namespace

std::unique_ptr<Client> make_local_client(io::Loop& loop, LocalServe serve) {
  return std::make_unique<LocalClient>(loop, std::move(serve));
}

}  // namespace skiff::kube
