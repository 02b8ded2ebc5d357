#include "kube/client/patient_client.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"
#include "io/sync.h"
#include "net/http_client.h"

using namespace skiff;
using namespace skiff::kube;
using json::Value;

namespace {

// Answers each call with the same error until its time has come.
struct Away final : Client {
  Away(io::Loop& l, Error e, Duration away) : loop(l), error(std::move(e)), back(l.now() + away) {}
  Result<Value> answer() {
    ++calls;
    if (loop.now() < back) return std::unexpected(error);
    return Value::object();
  }
  io::Task<Result<Value>> get(std::string) override {
    co_await io::sleep(loop, silence);
    co_return answer();
  }
  io::Task<Result<Value>> list(std::string, std::string) override {
    co_await io::sleep(loop, silence);
    co_return answer();
  }
  io::Task<Result<Value>> create(std::string, Value) override { co_return answer(); }
  io::Task<Result<Value>> update(std::string, Value) override { co_return answer(); }
  io::Task<Result<Value>> patch(std::string, PatchType, Value) override { co_return answer(); }
  io::Task<Result<void>> remove(std::string, Value) override {
    auto done = answer();
    SKIFF_CO_RETURN_IF_ERROR(done);
    co_return Result<void>{};
  }
  io::Task<void> follow(std::string, std::string, ChangeCallback) override { co_return; }
  io::Loop& loop;
  Error error;
  MonotonicTime back;
  Duration silence{};  // before the answer to a question
  int calls = 0;
};

const Error kLost{Code::kUnavailable, "lost"};
const Error kRefused = net::not_sent(kLost);

struct Rig {
  Rig(Error error, Duration away) : inner(loop, std::move(error), away) {}
  io::SimLoop loop{1};
  Away inner;
  PatientClient client{loop, inner};
};

}  // namespace

TEST_CASE("a question waits for a server that is restarted") {
  for (const Error& error : {kLost, kRefused}) {
    Rig rig(error, std::chrono::seconds(5));
    CHECK(io::block_on(rig.loop, rig.client.get("/x")));
    CHECK(rig.loop.now().time_since_epoch() >= std::chrono::seconds(5));
    CHECK(io::block_on(rig.loop, rig.client.list("/x", "")));
  }
}

TEST_CASE("it gives up after a while") {
  Rig rig(kRefused, std::chrono::hours(1));
  const auto begin = rig.loop.now();
  CHECK(io::block_on(rig.loop, rig.client.get("/x")).error().message == "lost");
  CHECK(rig.loop.now() - begin <= kApiPatience);
  CHECK(rig.inner.calls > 10);
}

TEST_CASE("a question that is taken and not answered is given up") {
  Rig rig(kLost, {});
  rig.inner.silence = std::chrono::hours(1);
  const auto begin = rig.loop.now();
  CHECK(io::block_on(rig.loop, rig.client.get("/x")).error().code == Code::kTimeout);
  CHECK(io::block_on(rig.loop, rig.client.list("/x", "")).error().code == Code::kTimeout);
  CHECK(rig.loop.now() - begin <= 2 * kApiPatience);
}

TEST_CASE("a change that may have been carried out is not repeated") {
  Rig rig(kLost, std::chrono::seconds(5));
  CHECK_FALSE(io::block_on(rig.loop, rig.client.create("/x", {})).has_value());
  CHECK_FALSE(io::block_on(rig.loop, rig.client.update("/x", {})).has_value());
  CHECK_FALSE(io::block_on(rig.loop, rig.client.remove("/x", {})).has_value());
  CHECK(rig.inner.calls == 3);
  CHECK(io::block_on(rig.loop, rig.client.patch("/x", PatchType::kMerge, {})));
}

TEST_CASE("a change that never left waits too") {
  Rig rig(kRefused, std::chrono::seconds(5));
  CHECK(io::block_on(rig.loop, rig.client.create("/x", {})));
}

TEST_CASE("an answer is an answer") {
  for (const Code code : {Code::kNotFound, Code::kForbidden, Code::kConflict}) {
    Rig rig({code, "no"}, std::chrono::seconds(5));
    CHECK(io::block_on(rig.loop, rig.client.get("/x")).error().code == code);
    CHECK(rig.inner.calls == 1);
  }
}
