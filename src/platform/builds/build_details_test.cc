#include "platform/builds/build_details.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("phases that a build left are read, and nothing else") {
  const auto phases =
      parse_phases("unpack 12\ncompile 3456\n\nbad\n../x 1\nhuge 99999999999999\nneg -1\nlast 0");
  CHECK(describe_phases(phases) == "unpack 0.01 s, compile 3.45 s, last 0.00 s");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "x 1\n";
  CHECK(parse_phases(many).size() == 16);
}

TEST_CASE("simple lines of a report are kept") {
  const auto report =
      parse_report("node_version: 20.11.0\nname: \"my app\"\nlist:\n  - a\nbad key: x\nempty:\nlong: " +
                   std::string(300, 'x') + "\ncolour: \033[31mred\033[0m\nurl: http://x:1/\r\n");
  CHECK(report ==
        std::map<std::string, std::string>{
            {"node_version", "20.11.0"}, {"name", "my app"}, {"colour", "red"}, {"url", "http://x:1/"}});
}

TEST_CASE("the clock gives what the parts leave to the phase around them") {
  io::SimLoop loop(1);
  BuildDetails details;
  PhaseClock clock(loop, details);
  loop.advance(std::chrono::milliseconds(20));
  clock.end("start");
  loop.advance(std::chrono::milliseconds(100));
  clock.end("end", {{"unpack", 30}, {"compile", 60}});
  CHECK(describe_phases(details.phases) == "start 0.02 s, unpack 0.03 s, compile 0.06 s, end 0.01 s");
  // A build may say what it likes of its parts.
  loop.advance(std::chrono::milliseconds(50));
  clock.end("end", {{"compile", 40}, {"pack", 86'400'000}});
  CHECK(describe_phases({details.phases.end() - 3, details.phases.end()}) ==
        "compile 0.04 s, pack 0.01 s, end 0.00 s");
  CHECK(json::encode(encode_phases({{"start", 20}})) == R"([{"name":"start","milliseconds":20}])");
}
