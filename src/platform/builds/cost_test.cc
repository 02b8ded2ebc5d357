// What a build prints or leaves is read on the platform's loop, and is what its author likes.
#include "io/sim_loop.h"
#include "platform/builds/build_details.h"
#include "platform/builds/output.h"
#include "platform/git/answer_relay.h"
#include "platform/resources/build_records.h"
#include "testing/check_growth.h"

using namespace skiff;
using namespace skiff::platform;
using testing::check_growth;
using testing::Shape;

namespace {

const Shape kOutputs[] = {
    {"-----> x\n", " app detected\n", ""},
    {"-----> x", " app detected", ""},
    {"", "-----> ", ""},
    {"", "-----> # app detected\n", ""},
    {"", "\n", ""},
    {"", "\r", ""},
    {"", "\033", ""},
    {"\033]", "x", ""},
    {"", "\xF0\x9F", ""},
    {"", "No space left on devic", ""},
};

}  // namespace

TEST_CASE("what a build prints is read in time by its length") {
  for (const auto& shape : kOutputs) {
    check_growth(shape, [](const std::string& text) {
      BuildText kept;
      kept.add(text);
      return kept.buildpack().size();
    });
    check_growth(shape, [](const std::string& text) {
      io::SimLoop loop{1};
      size_t shown = 0;
      BuildOutput output(loop, [&shown](std::string_view piece) { shown += piece.size(); }, 1 << 20);
      constexpr size_t kPiece = 1000;
      for (size_t at = 0; at < text.size(); at += kPiece)
        output.write(std::string_view(text).substr(at, kPiece));
      return shown;
    });
  }
}

TEST_CASE("what a build leaves, and what git says of a commit, is read in time by its length") {
  for (const char* unit : {"key#: value\n", "\n", ":", "compile 1\n"}) {
    const Shape shape{"", unit, ""};
    check_growth(shape, [](const std::string& text) { return parse_report(text).size(); });
    check_growth(shape, [](const std::string& text) { return parse_phases(text).size(); });
  }
  for (const char* unit : {"0000", "0005\2", "000"}) {
    check_growth({"", unit, ""}, [](const std::string& text) { return AnswerRelay().add(text).size(); });
  }
}
