#include "node/logs/log_server.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "io/file.h"
#include "io/sim_loop.h"
#include "io/sync.h"

using namespace skiff;
using namespace skiff::node;

namespace {

class FakeWriter final : public net::ResponseWriter {
 public:
  int status = 0;
  std::string body;
  bool finished = false;
  io::Task<Result<void>> send(net::Response response) override {
    status = response.status;
    body = std::string(response.content());
    finished = true;
    co_return Result<void>();
  }
  io::Task<Result<void>> start(net::Response response) override {
    status = response.status;
    co_return Result<void>();
  }
  io::Task<Result<void>> write(std::string_view chunk) override {
    body += chunk;
    co_return Result<void>();
  }
  io::Task<Result<void>> finish() override {
    finished = true;
    co_return Result<void>();
  }
  io::Task<Result<io::Stream*>> upgrade(net::Response) override {
    co_return fail(Code::kUnimplemented, "no");
  }
  bool started() const override { return status != 0; }
};

struct Rig {
  io::SimLoop loop{1};
  std::string folder = "/tmp/skiff-log-server-XXXXXX";
  LogServer server{loop, "secret",
                   [this](const std::string&, const std::string& pod, const std::string&, bool) {
                     return pod == "p" ? Result<LogTarget>(LogTarget{folder + "/0.log", [] { return false; }})
                                       : fail(Code::kNotFound, "pod \"" + pod + "\" not found");
                   }};
  FakeWriter writer;
  net::Request request;
  io::TaskScope scope{loop};

  Rig() { REQUIRE(::mkdtemp(folder.data()) != nullptr); }
  ~Rig() { auto removed = io::remove_tree(folder); }
  void ask(const std::string& target, const std::string& token = "secret") {
    request.target = target;
    request.headers.set("Authorization", "Bearer " + token);
    scope.spawn(server.handle(request, writer));
    loop.run_until_idle();
  }
};

}  // namespace

TEST_CASE("a log is served to who knows the token") {
  Rig rig;
  REQUIRE(io::write_file_atomic(rig.folder + "/0.log",
                                "2026-01-01T00:00:00Z stdout F one\n2026-01-01T00:00:01Z stderr F two\n"));
  rig.ask("/containerLogs/n/p/c?tailLines=1");
  CHECK(rig.writer.status == 200);
  CHECK(rig.writer.body == "two\n");
  CHECK(rig.writer.finished);
}

TEST_CASE("without the token nothing is served") {
  Rig rig;
  rig.ask("/containerLogs/n/p/c", "wrong");
  CHECK(rig.writer.status == 401);
}

TEST_CASE("unknown pods, paths and parameters are said so") {
  Rig missing;
  missing.ask("/containerLogs/n/x/c");
  CHECK(missing.writer.status == 404);
  CHECK(missing.writer.body == "pod \"x\" not found");
  Rig path;
  path.ask("/exec/n/p/c");
  CHECK(path.writer.status == 404);
  Rig parameter;
  parameter.ask("/containerLogs/n/p/c?tailLines=x");
  CHECK(parameter.writer.status == 400);
}
