// A watch that runs while a test does other things.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "kube/server/server_rig.h"

namespace skiff::kube {

class LiveWatch {
 public:
  LiveWatch(ServerRig& rig, const std::string& target, const std::string& accept = "") : scope_(rig.loop) {
    request_.target = target;
    request_.headers.set("Authorization", "Bearer master");
    if (!accept.empty()) request_.headers.set("Accept", accept);
    scope_.spawn(serve(rig.api.handler(), &request_, &body_, &writer_, &ended));
    rig.loop.run_until_idle();
  }
  int status() const { return writer_.response.status; }
  // "ADDED a", "BOOKMARK" ..., one an event; takes them.
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const auto& event : values()) {
      const auto& name = event["object"]["metadata"]["name"].str();
      out.push_back(event["type"].str() + (name.empty() ? "" : " " + name));
    }
    return out;
  }
  std::vector<json::Value> values() {
    std::vector<json::Value> out;
    for (const auto& line : split(std::exchange(writer_.response.body, ""), '\n')) {
      if (auto value = json::parse(line)) out.push_back(*value);
    }
    return out;
  }
  bool ended = false;

 private:
  static io::Task<void> serve(net::Handler handler, const net::Request* request, TestBody* body,
                              TestWriter* writer, bool* ended) {
    co_await handler(*request, *body, *writer);
    *ended = true;
  }
  net::Request request_;
  TestBody body_;
  TestWriter writer_;
  io::TaskScope scope_;
};

}  // namespace skiff::kube
