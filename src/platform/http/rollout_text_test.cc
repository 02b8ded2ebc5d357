#include "platform/http/rollout_text.h"

#include <doctest/doctest.h>

#include "platform/apps/rollouts.h"

using namespace skiff::platform;

namespace {
std::string tell(const Rollout& rollout, const std::string& lines = "") {
  return rollout_text("shop", "http://shop.localhost/", rollout, lines);
}
}  // namespace

TEST_CASE("a release that is up names its address") {
  CHECK(tell({3, kSucceeded}) == "       v3 is up\n       http://shop.localhost/ deployed to Skiff\n");
}

TEST_CASE("a release that crashes shows its lines, who serves, and the way back") {
  Rollout failed{3, kFailed, "web.1: exited with status 1"};
  failed.serving = "v2";
  CHECK(tell(failed, "boom\n\n") ==
        " !     v3 does not come up: web.1: exited with status 1\n       Its last lines:\n         boom\n"
        "       v2 serves. To go back to it: skiff rollback v2 -a shop\n");
  failed.serving = "";
  CHECK(tell(failed).ends_with(
      "       Nothing serves now. See skiff logs -a shop; no release before it came up\n"));
  failed.back = "v1";
  CHECK(tell(failed).ends_with("skiff rollback v1 -a shop for the last release that came up\n"));
}

TEST_CASE("a release without dynos is not said to be up") {
  Rollout idle{4, kPending, "no dyno runs: skiff scale web=1"};
  idle.outlook = Rollout::Outlook::kNoDynos;
  const std::string said = "       v4 released; no dyno runs: skiff scale web=1 -a shop\n";
  CHECK(tell(idle) == said);
  idle.phase = kSucceeded;
  CHECK(tell(idle) == said);
}

TEST_CASE("a release without room says what to do") {
  Rollout stuck{3, kPending, "web.1: waits for room: 1 Too many pods."};
  stuck.outlook = Rollout::Outlook::kNeedsRoom;
  const std::string text = tell(stuck);
  CHECK(text.find("v3 is not up yet: web.1: waits for room: 1 Too many pods.") != std::string::npos);
  CHECK(text.find("as soon as there is room") != std::string::npos);
}

TEST_CASE("the output of a dyno can't move the cursor") {
  CHECK(clean_output("a\x1b[31mb\r\n\tc\x7f") == "a[31mb\n\tc");
}
