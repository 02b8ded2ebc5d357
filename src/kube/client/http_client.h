// The API over HTTP: JSON bodies, watches as streams of lines.
#pragma once

#include <memory>

#include "kube/client/client.h"
#include "net/http_client.h"

namespace skiff::kube {

struct HttpClientOptions {
  net::ClientOptions client;  // address and TLS of the API server
  std::string bearer_token;   // "" with a client certificate; secret
  std::string user_agent = "skiff";
};

// The loop and the network outlive the client; the client outlives its tasks.
class HttpClient final : public Client {
 public:
  HttpClient(io::Loop& loop, io::Network& network, HttpClientOptions options);
  ~HttpClient() override;
  io::Task<Result<json::Value>> get(std::string path) override;
  io::Task<Result<json::Value>> list(std::string path, std::string query) override;
  io::Task<Result<json::Value>> create(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> update(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> patch(std::string path, PatchType type, json::Value patch) override;
  io::Task<Result<void>> remove(std::string path, json::Value options) override;
  io::Task<void> follow(std::string path, std::string query, ChangeCallback callback) override;

 private:
  net::Request make_request(std::string method, std::string target) const;
  io::Task<Result<json::Value>> send(net::Request request);
  io::Task<Result<std::string>> list_all(std::string path, std::string query, ChangeCallback* callback);
  io::Task<Result<std::string>> watch(std::string path, std::string query, std::string revision,
                                      ChangeCallback* callback);
  io::Loop& loop_;
  HttpClientOptions options_;
  net::HttpClient client_;
};

// "application/merge-patch+json" and its like.
std::string_view patch_content_type(PatchType type);

}  // namespace skiff::kube
