#include "node/api/http_api.h"

#include "base/log.h"
#include "io/sync.h"

namespace skiff::node {

namespace {

constexpr Duration kFirstPause =
    std::chrono::milliseconds(100);  // after a lost watch; the API server may be restarting
constexpr Duration kLongestPause = std::chrono::seconds(5);
constexpr int kPageSize = 500;
constexpr size_t kMaxLine = 16 << 20;  // bytes of one watch event

std::string with_query(const std::string& path, const std::string& query, const std::string& more) {
  std::string out = path + "?";
  if (!query.empty()) out += query + "&";
  return out + more;
}

const char* media_type(kube::PatchType type) {
  switch (type) {
    case kube::PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case kube::PatchType::kMerge:
      return "application/merge-patch+json";
    case kube::PatchType::kJson:
      return "application/json-patch+json";
  }
  return "";
}

}  // namespace

HttpApi::HttpApi(io::Loop& loop, io::Network& network, HttpApiOptions options)
    : loop_(loop), options_(std::move(options)), client_(loop, network, options_.client) {}
HttpApi::~HttpApi() = default;

net::Request HttpApi::make_request(std::string method, std::string target) const {
  net::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers.set("Accept", "application/json");
  request.headers.set("User-Agent", "skiff-node");
  if (!options_.bearer_token.empty()) request.headers.set("Authorization", "Bearer " + options_.bearer_token);
  return request;
}

io::Task<Result<json::Value>> HttpApi::send(net::Request request) {
  auto response = co_await client_.send(std::move(request));
  if (!response) co_return std::unexpected(response.error());
  if (response->status < 200 || response->status > 299) {
    co_return std::unexpected(api_error(response->status, std::string(response->content())));
  }
  auto value = json::parse(response->content());
  co_return value;
}

io::Task<Result<json::Value>> HttpApi::get(std::string path) {
  auto answer = co_await send(make_request("GET", std::move(path)));
  co_return answer;
}

io::Task<Result<json::Value>> HttpApi::list(std::string path, std::string query) {
  auto answer = co_await get(query.empty() ? path : path + "?" + query);
  co_return answer;
}

io::Task<Result<json::Value>> HttpApi::create(std::string path, json::Value object) {
  net::Request request = make_request("POST", std::move(path));
  request.headers.set("Content-Type", "application/json");
  request.body = json::encode(object);
  auto answer = co_await send(std::move(request));
  co_return answer;
}

io::Task<Result<json::Value>> HttpApi::update(std::string path, json::Value object) {
  net::Request request = make_request("PUT", std::move(path));
  request.headers.set("Content-Type", "application/json");
  request.body = json::encode(object);
  auto answer = co_await send(std::move(request));
  co_return answer;
}

io::Task<Result<json::Value>> HttpApi::patch(std::string path, kube::PatchType type, json::Value patch) {
  net::Request request = make_request("PATCH", std::move(path));
  request.headers.set("Content-Type", media_type(type));
  request.body = json::encode(patch);
  auto answer = co_await send(std::move(request));
  co_return answer;
}

io::Task<Result<void>> HttpApi::remove(std::string path, json::Value options) {
  net::Request request = make_request("DELETE", std::move(path));
  request.headers.set("Content-Type", "application/json");
  request.body = json::encode(options);
  auto answer = co_await send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

// Gives the revision to watch from.
io::Task<Result<std::string>> HttpApi::list_into(std::string path, std::string query,
                                                 ChangeCallback* callback) {
  std::string more = "limit=" + std::to_string(kPageSize);
  std::vector<json::Value> items;
  for (;;) {
    auto page = co_await get(with_query(path, query, more));
    if (!page) co_return std::unexpected(page.error());
    // Items of a list leave out what the list says once.
    const std::string version = (*page)["apiVersion"].str();
    std::string kind = (*page)["kind"].str();
    if (kind.ends_with("List")) kind.resize(kind.size() - 4);
    for (json::Value item : (*page)["items"].items()) {
      if (item["kind"].str().empty()) item.set("kind", kind);
      if (item["apiVersion"].str().empty()) item.set("apiVersion", version);
      items.push_back(std::move(item));
    }
    const std::string next = (*page)["metadata"]["continue"].str();
    if (next.empty()) {
      (*callback)({ObjectChange::Kind::kReset, {}});
      for (const auto& item : items) (*callback)({ObjectChange::Kind::kUpsert, item});
      (*callback)({ObjectChange::Kind::kSynced, {}});
      co_return (*page)["metadata"]["resourceVersion"].str();
    }
    more = "limit=" + std::to_string(kPageSize) + "&continue=" + next;
  }
}

// Until the stream ends; gives the revision to go on from.
io::Task<Result<std::string>> HttpApi::watch(std::string path, std::string query, std::string revision,
                                             ChangeCallback* callback) {
  const std::string more = "watch=true&allowWatchBookmarks=true&resourceVersion=" + revision;
  auto stream = co_await client_.open(make_request("GET", with_query(path, query, more)));
  if (!stream) co_return std::unexpected(stream.error());
  const int status = (*stream)->head().status;
  if (status != 200) {
    auto body = co_await net::read_all((*stream)->body(), kMaxLine);
    co_return std::unexpected(api_error(status, body.value_or("")));
  }
  std::string received;
  for (;;) {
    auto piece = co_await (*stream)->body().read_some();
    if (!piece || piece->empty()) co_return revision;
    received += *piece;
    size_t begin = 0;
    for (size_t end = received.find('\n'); end != std::string::npos; end = received.find('\n', begin)) {
      auto line = parse_watch_line(std::string_view(received).substr(begin, end - begin));
      begin = end + 1;
      if (!line) co_return std::unexpected(line.error());
      if (!line->revision.empty()) revision = line->revision;
      if (line->change) (*callback)(*line->change);
    }
    received.erase(0, begin);
    if (received.size() > kMaxLine) co_return fail(Code::kResourceExhausted, "a watch event is too large");
  }
}

io::Task<void> HttpApi::follow(std::string path, std::string query, ChangeCallback callback) {
  std::string revision;
  Duration pause = kFirstPause;
  for (;;) {
    Result<std::string> step = revision;
    if (revision.empty()) {
      step = co_await list_into(path, query, &callback);
    } else {
      const MonotonicTime begun = loop_.now();
      step = co_await watch(path, query, revision, &callback);
      // A watch that held for a while ended in the ordinary course of things.
      if (step && loop_.now() - begun > kLongestPause) pause = Duration{};
    }
    const bool listed = step && revision.empty();
    if (step) {
      revision = *step;
    } else {
      // Only an answer that our revision is too old asks for a new list; a lost server asks for patience.
      if (step.error().code == Code::kExpired) revision.clear();
      log_debug("watch interrupted", {{"path", path}, {"error", step.error().message}});
    }
    if (listed) {
      pause = kFirstPause;
      continue;
    }
    co_await io::sleep(loop_, pause);
    pause = std::min(std::max(pause * 2, Duration(kFirstPause)), Duration(kLongestPause));
    if (step) pause = kFirstPause;
  }
}

}  // namespace skiff::node
