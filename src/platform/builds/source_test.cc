#include "platform/builds/source.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <optional>

#include "io/file.h"
#include "io/scope.h"
#include "io/sim_loop.h"
#include "platform/apps/manifests.h"
#include "platform/git/confinement.h"

using namespace skiff;
using namespace skiff::platform;

namespace {

// Pieces of a request's body; after the last of them its end, an error, or nothing for ever.
struct Body final : net::BodyReader {
  enum class Then { kEnd, kBroken, kSilence };
  Body(std::deque<std::string> p, Then t) : pieces(std::move(p)), then(t) {}
  io::Task<Result<std::string>> read_some() override {
    if (pieces.empty() && then == Then::kSilence) co_await std::suspend_always{};
    if (pieces.empty() && then == Then::kBroken) co_return fail(Code::kUnavailable, "the peer has gone");
    if (pieces.empty()) co_return std::string();
    std::string piece = std::move(pieces.front());
    pieces.pop_front();
    co_return piece;
  }
  std::deque<std::string> pieces;
  Then then;
};

size_t open_files() {
  return io::list_directory("/proc/self/fd").value().size();
}

struct Rig {
  Rig() {
    char name[] = "/tmp/skiff-source-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~Rig() { CHECK(io::remove_tree(folder)); }
  static io::Task<void> keep(Rig* self, io::Task<Result<void>> task) {
    auto result = co_await task;
    self->outcome.emplace(std::move(result));
  }
  // Receives into a new build's folder, and drops what has not ended then. Nothing may stay open.
  void receive(size_t submodule_bytes, std::deque<std::string> pieces, Body::Then then = Body::Then::kEnd) {
    const size_t before = open_files();
    outcome.reset();
    build = folder + "/" + std::to_string(++count);
    Body body(std::move(pieces), then);
    BuildLimits limits;
    limits.push_mb = 1;
    {
      io::TaskScope scope(loop);
      scope.spawn(keep(this, receive_source(loop, build, limits, submodule_bytes, body)));
      loop.run_until_idle();
    }
    CHECK(open_files() == before);
  }
  std::string folder, build;
  int count = 0;
  io::SimLoop loop{1};
  std::optional<Result<void>> outcome;
};

uid_t owner(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_uid : 0;
}

const std::string kLine = std::string(40, 'a') + " lib\n";

}  // namespace

TEST_CASE("submodules and files of a commit come apart, wherever the pieces end" *
          doctest::skip(::geteuid() != 0)) {
  Rig rig;
  rig.receive(kLine.size(), {kLine.substr(0, 7), kLine.substr(7) + "ta", "r"});
  REQUIRE(rig.outcome);
  CHECK(*rig.outcome);
  CHECK(io::read_file(rig.build + "/submodules") == kLine);
  CHECK(io::read_file(rig.build + "/source.tar") == "tar");
  CHECK(owner(rig.build + "/submodules") == kDynoUser);
  CHECK(owner(rig.build + "/source.tar") == kGitUser);
}

TEST_CASE("a source that is refused, breaks off or is given up leaves no file open" *
          doctest::skip(::geteuid() != 0)) {
  Rig rig;
  const std::string bad = std::string(40, 'a') + " ../out\n";
  rig.receive(bad.size(), {bad + "tar"});
  CHECK(rig.outcome->error().message.starts_with("the path of the submodule ../out can't be fetched to"));
  rig.receive(100, {kLine});
  CHECK(rig.outcome->error().message == "what the hook of the push sent broke off");
  rig.receive(1 << 20, {});
  CHECK(rig.outcome->error().message == "the commit has more than 100 submodules");
  rig.receive(0, {"tar"}, Body::Then::kBroken);
  CHECK(rig.outcome->error().message == "the peer has gone");
  rig.receive(0, {std::string((1 << 20) + 1, 'x')});
  CHECK(rig.outcome->error().code == Code::kResourceExhausted);
  for (const auto& pieces : {std::deque<std::string>{}, {kLine}, {kLine, "tar"}}) {
    rig.receive(kLine.size(), pieces, Body::Then::kSilence);
    CHECK_FALSE(rig.outcome);
  }
}
