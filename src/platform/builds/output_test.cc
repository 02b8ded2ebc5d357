#include "platform/builds/output.h"

#include <doctest/doctest.h>

#include "io/scope.h"
#include "io/sim_loop.h"

using namespace skiff;
using namespace skiff::platform;
using std::chrono::seconds;

namespace {

struct Rig {
  explicit Rig(int64_t limit_kb = 100)
      : output(loop, [this](std::string_view text) { seen += text; }, limit_kb) {}
  void listen() {
    scope.spawn(BuildOutput::break_silence(&output));
    loop.run_until_idle();
  }
  std::string take() { return std::exchange(seen, ""); }

  io::SimLoop loop{1};
  std::string seen;
  BuildOutput output;
  io::TaskScope scope{loop};
};

}  // namespace

TEST_CASE("output beyond the limit is cut with one line that says so") {
  Rig rig(1);
  rig.output.write(std::string(1000, 'a'));
  rig.output.write(std::string(100, 'b'));
  rig.output.write("c");
  CHECK(rig.seen == std::string(1000, 'a') + std::string(24, 'b') +
                        "\n !     The build wrote more than 1 KB (\"outputKb\" in build-limits.json); what "
                        "follows is not shown.\n");
}

TEST_CASE("no character is cut by the limit") {
  Rig rig(1);
  rig.output.write(std::string(1023, 'a') + "\xE2\x9C\x93.");
  CHECK(rig.seen.starts_with(std::string(1023, 'a') + "\n !     The build wrote more"));
}

TEST_CASE("a full disk is noticed, also in two pieces and beyond the limit") {
  Rig rig(1);
  rig.output.write(std::string(2000, 'x') + "cc1plus: No space left");
  CHECK_FALSE(rig.output.told_of_full_disk());
  rig.output.write(" on device\n");
  CHECK(rig.output.told_of_full_disk());
}

TEST_CASE("colours do not reach the pusher") {
  Rig rig;
  rig.output.write("\033[3");
  rig.output.write("1mred\033[0m\n");
  CHECK(rig.seen == "red\n");
}

TEST_CASE("a long silence is broken by the phase and how long it takes, again and again") {
  Rig rig;
  rig.listen();
  rig.output.write("-----> Installing gems...\n       from the cache\n");
  rig.take();
  rig.loop.advance(seconds(29));
  CHECK(rig.seen == "");
  rig.loop.advance(seconds(2));
  CHECK(rig.take() == "       still: Installing gems, 30 s\n");
  rig.loop.advance(seconds(30));
  CHECK(rig.take() == "       still: Installing gems, 60 s\n");
  rig.output.write("       Running: bundle install\nFetching");
  rig.take();
  rig.loop.advance(seconds(31));
  CHECK(rig.take() == "\n       still: bundle install, 30 s\n");
  rig.loop.advance(seconds(31));
  CHECK(rig.take() == "       still: bundle install, 60 s\n");
}

TEST_CASE("a build that speaks is not interrupted") {
  Rig rig;
  rig.listen();
  for (int i = 0; i < 10; ++i) {
    rig.loop.advance(seconds(20));
    rig.output.write("x\n");
  }
  CHECK(rig.seen.find("still") == std::string::npos);
}

TEST_CASE("what the platform says itself is shown beyond the limit, on lines of its own") {
  Rig rig(1);
  rig.output.write(std::string(2000, 'x'));
  rig.take();
  rig.output.tell("-----> Launching...\n");
  CHECK(rig.take() == "\n-----> Launching...\n");
  rig.output.tell("       web: \033[31mred\n");
  CHECK(rig.take() == "       web: red\n");
}

TEST_CASE("a silence after the build's end names what the platform does, not what the build did") {
  Rig rig;
  rig.listen();
  rig.output.write("-----> Compressing...\n");
  rig.loop.advance(seconds(20));
  rig.output.begin_phase("Storing the app");
  rig.take();
  rig.loop.advance(seconds(31));
  CHECK(rig.take() == "       still: Storing the app, 10 s\n");
  rig.output.tell("-----> Launching...\n");
  rig.take();
  rig.loop.advance(seconds(29));
  CHECK(rig.seen == "");
  rig.loop.advance(seconds(2));
  CHECK(rig.take() == "       still: Launching, 30 s\n");
}

TEST_CASE("the name of a phase is cut between two characters") {
  Rig rig;
  rig.listen();
  std::string ticks;
  for (int i = 0; i < 100; ++i) ticks += "\xE2\x9C\x93";
  rig.output.write("-----> " + ticks + "\n");
  rig.take();
  rig.loop.advance(seconds(31));
  CHECK(rig.take() == "       still: " + ticks.substr(0, 192) + ", 30 s\n");
}
