// The cluster over HTTP: JSON bodies, watches as streams of lines.
#pragma once

#include <memory>

#include "net/http_client.h"
#include "node/api/cluster_api.h"

namespace skiff::node {

struct HttpApiOptions {
  net::ClientOptions client;  // address and TLS of the API server
  std::string bearer_token;   // "" with a client certificate
};

class HttpApi final : public ClusterApi {
 public:
  HttpApi(io::Loop& loop, io::Network& network, HttpApiOptions options);
  ~HttpApi() override;
  io::Task<Result<json::Value>> get(std::string path) override;
  io::Task<Result<json::Value>> list(std::string path, std::string query) override;
  io::Task<Result<json::Value>> create(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> update(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> patch(std::string path, kube::PatchType type, json::Value patch) override;
  io::Task<Result<void>> remove(std::string path, json::Value options) override;
  io::Task<void> follow(std::string path, std::string query, ChangeCallback callback) override;

 private:
  net::Request make_request(std::string method, std::string target) const;
  io::Task<Result<json::Value>> send(net::Request request);
  io::Task<Result<std::string>> list_into(std::string path, std::string query, ChangeCallback* callback);
  io::Task<Result<std::string>> watch(std::string path, std::string query, std::string revision,
                                      ChangeCallback* callback);
  io::Loop& loop_;
  HttpApiOptions options_;
  net::HttpClient client_;
};

// The error (with kube::StatusDetails) a Status body or an HTTP status stands for. Pure.
Error api_error(int status, const std::string& body);

// One line of a watch: what changed and the revision to resume from. Pure. Expired when the API server says
// so.
struct WatchLine {
  std::optional<ObjectChange> change;  // nothing for a bookmark
  std::string revision;
};
Result<WatchLine> parse_watch_line(std::string_view line);

}  // namespace skiff::node
