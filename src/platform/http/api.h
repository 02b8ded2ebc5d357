// The Platform API and git over HTTP: who asks, what they ask, which part answers.
#pragma once

#include <string>

#include "net/http_server.h"
#include "platform/apps/apps.h"
#include "platform/builds/builder.h"
#include "platform/git/repositories.h"
#include "platform/logs/log_store.h"

namespace skiff::platform {

struct ApiOptions {
  std::string domain;
  uint16_t http_port = 80;
  std::string token;       // secret
  std::string edge_token;  // secret
};

class Api {
 public:
  Api(io::Loop& loop, Apps& apps, Builder& builder, Repositories& repositories, LogStore& logs,
      ApiOptions options);
  // For people, git and the edge: authenticated.
  io::Task<void> handle(const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer);
  // For the hook on its unix socket (mode 0600): no token.
  io::Task<void> handle_hook(const net::Request& request, net::ResponseWriter& writer);

 private:
  enum class Caller { kNobody, kUser, kEdge };
  Caller authenticate(const net::Request& request) const;
  io::Task<void> handle_git(std::string app, std::string rest, const net::Request& request,
                            net::BodyReader& body, net::ResponseWriter& writer);
  // JSON in, JSON out; the status is 200 or 201.
  io::Task<Result<net::Response>> answer(std::string method, std::vector<std::string> path, json::Value body);
  io::Task<Result<net::Response>> answer_apps(std::string method, json::Value body);
  io::Task<Result<net::Response>> answer_app(std::string method, std::string app);
  io::Task<Result<net::Response>> answer_config(std::string method, std::string app, json::Value body);
  io::Task<Result<net::Response>> answer_releases(std::string method, std::string app, json::Value body);
  io::Task<Result<net::Response>> answer_formation(std::string method, std::string app, json::Value body);
  io::Task<Result<net::Response>> answer_log_session(std::string method, std::string app, json::Value body);
  io::Task<void> stream_log(const net::Request& request, net::ResponseWriter& writer);
  io::Task<void> take_router_lines(net::BodyReader& body, net::ResponseWriter& writer);
  json::Value shape(const json::Value& name_space) const;
  std::string base_url() const;
  void note(const std::string& app, std::string_view text);

  io::Loop& loop_;
  Apps& apps_;
  Builder& builder_;
  Repositories& repositories_;
  LogStore& logs_;
  ApiOptions options_;
};

}  // namespace skiff::platform
