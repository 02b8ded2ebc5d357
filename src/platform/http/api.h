// The Platform API and git over HTTP: who asks, what they ask, which part answers. One file a resource.
#pragma once

#include <string>
#include <vector>

#include "net/http_server.h"
#include "platform/apps/apps.h"
#include "platform/apps/rollouts.h"
#include "platform/builds/builder.h"
#include "platform/disk_care.h"
#include "platform/git/repositories.h"
#include "platform/http/guard.h"
#include "platform/logs/log_store.h"
#include "platform/renames/renames.h"
#include "platform/resources/build_records.h"

namespace skiff::platform {

struct ApiOptions {
  std::string url_port;    // ":8080", or "" for port 80
  std::string token;       // secret
  std::string edge_token;  // secret
  DiskPlaces places;
};

// The parts of the platform that the API speaks for; they outlive it.
struct ApiParts {
  Apps& apps;
  Builder& builder;
  BuildRecords& builds;
  Repositories& repositories;
  LogStore& logs;
  Rollouts& rollouts;
  Renames& renames;
};

class Api {
 public:
  Api(io::Loop& loop, ApiParts parts, ApiOptions options);
  // For people, git and the edge: authenticated.
  io::Task<void> handle(const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer);
  // For the hook on its unix socket: no token, but a process of a push that is going on.
  io::Task<void> handle_hook(const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer);

 private:
  enum class Caller { kNobody, kUser, kEdge };
  // What is asked about an app: its part ("releases"), which of them ("v3"), what of it or what to do with it
  // ("config-vars", "actions/stop"), and the header that bounds a list.
  struct Question {
    std::string method, app, part, name, action, range;
    json::Value body;
  };
  using Answer = Result<net::Response>;

  Caller authenticate(const net::Request& request, const Visitor& visitor) const;
  // What a browser of another site, or who guesses too fast, is told.
  io::Task<std::optional<net::Response>> refuse_early(const net::Request& request, Visitor visitor);
  io::Task<void> serve_edge(const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer);
  io::Task<void> serve_git(std::string app, std::string rest, const net::Request& request,
                           net::BodyReader& body, net::ResponseWriter& writer);
  // Builds what lies in the build's folder and releases it, with its output as the answer.
  io::Task<void> build_pushed(std::string app, std::string id, std::string commit, BuildDetails details,
                              net::ResponseWriter& writer);
  io::Task<void> serve_json(std::vector<std::string> path, const net::Request& request, net::BodyReader& body,
                            net::ResponseWriter& writer);
  io::Task<void> stream_log(std::string app, const net::Request& request, net::ResponseWriter& writer);

  io::Task<Answer> answer_apps(std::string method, json::Value body);
  // What is about no app: "account", "stacks".
  io::Task<Answer> answer_instance(std::string method, std::string path);
  io::Task<Answer> answer_part(Question question);
  io::Task<Answer> answer_app(Question question);
  io::Task<Answer> answer_config(Question question);
  io::Task<Answer> answer_releases(Question question);
  io::Task<Answer> answer_release_config(Question question);
  io::Task<Answer> roll_back(std::string app, std::string wanted);
  io::Task<Result<json::Value>> release_shapes(std::string app);
  io::Task<Answer> answer_rollout(Question question);
  io::Task<Answer> answer_formation(Question question);
  io::Task<Answer> answer_formation_type(Question question);
  io::Task<Answer> answer_dynos(Question question);
  io::Task<Answer> answer_stop(Question question);
  io::Task<Answer> answer_builds(Question question);
  io::Task<Answer> answer_build_cache(Question question);
  io::Task<Answer> answer_buildpacks(Question question);
  io::Task<Answer> answer_log_session(Question question);
  io::Task<Answer> rename(std::string app, std::string name);
  // "renames/shop/store": how far it is, at its end or after a few seconds.
  io::Task<Answer> answer_rename(std::string method, std::string from, std::string to);
  // The app, when it may be used so; NotFound, or no answer of the API within its patience.
  io::Task<Result<json::Value>> look_up(std::string app, Renames::Use use);
  io::Task<std::string> describe(std::string app, Rollout rollout);
  io::Task<void> tell_rollout(std::string app, net::ResponseWriter& writer);
  json::Value shape(const json::Value& app) const;
  std::string git_url(const std::string& app) const;
  // An app's repository, build cache, outputs of builds and log.
  io::Task<Result<void>> remove_files(std::string app);
  // In the place of those of an app of that name whose namespace was deleted with kubectl.
  io::Task<Result<void>> prepare_files(std::string app);
  // A line of app[api].
  void note(const std::string& app, std::string_view text);
  void note_stopped(const std::string& app, const Release& release);
  void note_release(const std::string& app, const Release& release);

  io::Loop& loop_;
  Apps& apps_;
  Builder& builder_;
  BuildRecords& builds_;
  Repositories& repositories_;
  LogStore& logs_;
  Rollouts& rollouts_;
  Renames& renames_;
  ApiOptions options_;
  Attempts attempts_;
};

}  // namespace skiff::platform
