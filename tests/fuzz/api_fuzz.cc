// Any request to the API server, as an administrator or as nobody: always an answer, and JSON where it says
// so.
//
// Input: user and method (a byte each), then target, content type, Accept and body, with "---" lines between.
// The store lives on through some runs, so that later requests meet what earlier ones made.
#include <memory>
#include <string>

#include "input.h"
#include "kube/server/server_rig.h"

namespace {
constexpr int kRunsPerStore = 500;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace skiff;
  static constexpr const char* kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
  static std::unique_ptr<kube::ServerRig> rig;
  static int runs = 0;
  if (runs++ % kRunsPerStore == 0) {
    rig.reset();
    rig = std::make_unique<kube::ServerRig>();
  }
  fuzz::Input input(data, size);
  net::Request request;
  if (input.choose(8) != 0) request.headers.set("Authorization", "Bearer master");
  request.method = kMethods[input.choose(std::size(kMethods))];
  request.target = input.part();
  request.headers.set("Content-Type", input.part());
  request.headers.set("Accept", input.part());
  const auto answer = rig->ask(request, std::string(input.rest()));
  fuzz::require(answer.status >= 200 && answer.status < 600);
  const bool watch = request.target.find("watch") != std::string::npos;
  if (answer.headers.get("Content-Type") == "application/json" && !watch && request.method != "HEAD") {
    fuzz::require(!answer.body.is_null());
  }
  return 0;
}
