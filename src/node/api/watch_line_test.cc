#include <doctest/doctest.h>

#include "node/api/http_api.h"

using namespace skiff;
using namespace skiff::node;

TEST_CASE("watch lines give changes and the revision to resume from") {
  const auto added =
      parse_watch_line(R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"7"}}})");
  CHECK(added->change->kind == ObjectChange::Kind::kUpsert);
  CHECK(added->revision == "7");
  const auto bookmark =
      parse_watch_line(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}})");
  CHECK(!bookmark->change);
  CHECK(bookmark->revision == "9");
}

TEST_CASE("a revision that is too old is an error of its own") {
  const auto gone =
      parse_watch_line(R"({"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}})");
  CHECK(gone.error().code == Code::kExpired);
}

TEST_CASE("status bodies become errors by reason") {
  CHECK(api_error(409, R"({"reason":"AlreadyExists","message":"x"})").code == Code::kAlreadyExists);
  CHECK(api_error(409, R"({"reason":"Conflict","message":"x"})").code == Code::kConflict);
  CHECK(api_error(500, "not json").message == "the API server answered 500");
}
