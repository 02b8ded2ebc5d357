#include "platform/http/errors.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("an app that nobody could look up is not called absent") {
  const auto absent = git_without_app("shop", {Code::kNotFound, "x"});
  CHECK(absent.status == 404);
  CHECK(absent.body == "There is no app shop; make it with `skiff create shop`\n");
  CHECK(json_without_app({Code::kNotFound, "x"}).status == 404);
  for (const Code code : {Code::kUnavailable, Code::kTimeout, Code::kInternal, Code::kUnauthenticated}) {
    const auto silent = git_without_app("shop", {code, "connect: refused"});
    CHECK(silent.status == 503);
    CHECK(silent.headers.get("Retry-After") == "1");
    CHECK(silent.body.find("Whether there is an app shop is not known now") == 0);
    CHECK(silent.body.find("There is no app") == std::string::npos);
    const auto refusal = json_without_app({code, "connect: refused"});
    CHECK(refusal.status == 503);
    CHECK(refusal.headers.get("Retry-After") == "1");
    CHECK(refusal.body.find("connect: refused") != std::string::npos);
  }
}

TEST_CASE("an error has Heroku's form and status") {
  struct Row {
    Code code;
    int status;
    const char* id;
  };
  for (const Row& row :
       {Row{Code::kInvalidArgument, 422, "invalid_params"}, Row{Code::kNotFound, 404, "not_found"},
        Row{Code::kAlreadyExists, 422, "invalid_params"}, Row{Code::kConflict, 409, "conflict"},
        Row{Code::kUnauthenticated, 401, "unauthorized"},
        Row{Code::kInternal, 500, "internal_server_error"}}) {
    const auto response = error_response(Error{row.code, "what was wrong"});
    CHECK(response.status == row.status);
    const auto body = json::parse(response.content());
    REQUIRE(body.has_value());
    CHECK((*body)["id"].str() == row.id);
    CHECK((*body)["message"].str() == "what was wrong");
  }
}

TEST_CASE("what was not found is named") {
  const auto body = json::parse(error_response(Error{Code::kNotFound, "x"}, "app").content());
  CHECK((*body)["resource"].str() == "app");
  CHECK_FALSE(
      json::parse(error_response(Error{Code::kConflict, "x"}, "app").content())->contains("resource"));
}
