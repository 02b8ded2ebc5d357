// Brings the output of dynos into the log store: follows each running container through the API.
//
// Where it is stands in the store with the lines themselves. After a cut it asks again from that time on and
// passes over the lines of that time that are stored: no line is missed or kept twice.
#pragma once

#include <map>
#include <string>

#include "io/scope.h"
#include "net/http_client.h"
#include "platform/logs/log_store.h"

namespace skiff::platform {

constexpr size_t kMaxOutputLine = 1 << 20;  // bytes; the rest of a longer line is passed over

struct DynoOutput {
  std::string uid, app, pod, container;
  std::string name;  // "web.1"
};

class LogCollector {
 public:
  LogCollector(io::Loop& loop, io::Network& network, LogStore& store, net::ClientOptions options);
  // Follows the dyno until its pod is gone and all was read; again only after that.
  void follow(DynoOutput dyno);
  // The pod is gone: what can be read still is.
  void pod_gone(const std::string& uid);

 private:
  static io::Task<void> collect(LogCollector* self, DynoOutput dyno);
  enum class Instance { kPrevious, kCurrent };
  enum class Reading {
    kRead,     // to its end, or to where it broke off
    kNothing,  // the API says that there is none
    kUnknown,  // nobody could say
  };
  io::Task<Reading> read_log(DynoOutput dyno, Instance instance);
  io::Loop& loop_;
  LogStore& store_;
  net::HttpClient client_;
  std::map<std::string, bool> gone_;  // by uid of those that are followed
  io::TaskScope scope_;
};

// Cuts a container's log, as the API gives it with times, into lines, and leaves out those that are stored.
// Pure.
class OutputCutter {
 public:
  // `stored` is how far the store is; the text begins at that time or before.
  explicit OutputCutter(LogPosition stored) : stored_(stored) {}
  std::vector<OutputLine> add(std::string_view text);

 private:
  void take(std::string_view line, std::vector<OutputLine>& out);
  LogPosition stored_;
  uint64_t seen_ = 0;  // lines of stored_.time that were passed over
  std::string pending_;
  bool too_long_ = false;  // passing over the rest of a line
};

}  // namespace skiff::platform
