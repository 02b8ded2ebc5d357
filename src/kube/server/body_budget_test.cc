#include "kube/server/body_budget.h"

#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

using namespace skiff;
using namespace skiff::kube;

namespace {

// Half of a body; the rest never comes.
struct HalfBody final : net::BodyReader {
  HalfBody(io::Loop& l, size_t bytes) : loop(l), text(bytes, ' ') {}
  io::Task<Result<std::string>> read_some() override {
    if (!text.empty()) co_return std::exchange(text, std::string());
    co_await io::sleep(loop, std::chrono::hours(1));
    co_return std::string();
  }
  io::Loop& loop;
  std::string text;
};

struct HalfRequest {
  HalfRequest(ServerRig& rig, const std::string& token, size_t bytes) : body(rig.loop, bytes) {
    request.method = "POST";
    request.target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    request.headers.set("Authorization", "Bearer " + token);
    request.headers.set("Content-Type", "application/json");
  }
  net::Request request;
  HalfBody body;
  TestWriter writer;
};

constexpr const char* kReview = R"({"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1",
  "spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}})";

}  // namespace

TEST_CASE("a body that does not come is waited for a minute") {
  ServerRig rig;
  HalfRequest half(rig, "jane", 100);
  const auto before = rig.loop.now();
  rig.run(rig.api.handler()(half.request, half.body, half.writer));
  CHECK(half.writer.response.status == 504);
  CHECK(rig.loop.now() - before < std::chrono::minutes(2));
}

TEST_CASE("halves of large bodies take a bounded part of the memory, and leave room for others") {
  ServerRig rig;
  constexpr size_t kHalf = 2 << 20;
  std::vector<std::unique_ptr<HalfRequest>> halves;
  io::TaskScope scope(rig.loop);
  const auto handler = rig.api.handler();
  for (size_t i = 0; i < BodyBudget::kMaxOfOne / kHalf + 3; ++i) {
    halves.push_back(std::make_unique<HalfRequest>(rig, "jane", kHalf));
    scope.spawn(handler(halves.back()->request, halves.back()->body, halves.back()->writer));
  }
  const auto review = [&](const char* token) {
    return rig.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", kReview,
                   "application/json", token);
  };
  CHECK(review("master").status == 201);
  const auto refused = review("jane");
  CHECK(refused.status == 429);
  CHECK(refused.headers.get("Retry-After") == "1");
  size_t count = 0;
  for (const auto& half : halves) count += half->writer.response.status == 429;
  CHECK(count == 3);
  scope.cancel();
  CHECK(review("jane").status == 201);
}
