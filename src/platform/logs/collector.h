// Brings the logs of apps' pods into the log store: follows each running container through the API.
//
// After a restart it goes on at the last time it wrote down for a pod, so no line is lost; lines of that very
// instant that were stored already are skipped.
#pragma once

#include <map>
#include <string>

#include "io/scope.h"
#include "kube/client/client.h"
#include "net/http_client.h"
#include "platform/logs/log_store.h"

namespace skiff::platform {

class LogCollector {
 public:
  LogCollector(io::Loop& loop, io::Network& network, kube::Client& api, LogStore& store,
               net::ClientOptions options, std::string state_folder);
  void start();

 private:
  void on_pod(const kube::ObjectChange& change);
  static io::Task<void> follow_pods(LogCollector* self);
  static io::Task<void> collect(LogCollector* self, std::string uid, std::string app, std::string pod,
                                std::string container, std::string process);
  io::Task<bool> read_log(std::string target, std::string uid, std::string app, std::string process);
  void store_line(const std::string& uid, const std::string& app, const std::string& process,
                  std::string_view line);
  io::Loop& loop_;
  kube::Client& api_;
  LogStore& store_;
  net::HttpClient client_;
  std::string state_folder_;
  struct Source {
    std::string last_time;  // RFC 3339 with nanoseconds, of the newest line stored
    bool ended = false;
  };
  std::map<std::string, Source> sources_;  // by pod uid
  io::TaskScope scope_;
};

}  // namespace skiff::platform
