#include <doctest/doctest.h>

#include <map>

#include "cli/commands.h"

using namespace skiff;

TEST_CASE("an assignment splits at its first equals sign") {
  auto pair = cli::parse_assignment("URL=http://x/?a=b");
  REQUIRE(pair.has_value());
  CHECK(pair->first == "URL");
  CHECK(pair->second == "http://x/?a=b");
}

TEST_CASE("an empty value is a value") {
  auto pair = cli::parse_assignment("EMPTY=");
  REQUIRE(pair.has_value());
  CHECK(pair->second.empty());
}

TEST_CASE("a piece without a name or an equals sign is refused in words") {
  CHECK(cli::parse_assignment("web").error().message == "\"web\" is not of the form NAME=value");
  CHECK_FALSE(cli::parse_assignment("=4").has_value());
}

TEST_CASE("a formation is a process type and a count") {
  auto pair = cli::parse_quantity("web=4");
  REQUIRE(pair.has_value());
  CHECK(pair->type == "web");
  CHECK(pair->count == 4);
  CHECK(pair->size == "");
  CHECK(cli::parse_quantity("my-job+1:Standard-1X")->type == "my-job");
  CHECK(cli::parse_quantity("my-job+1:Standard-1X")->size == "Standard-1X");
  for (const char* bad : {"web", "web=", "web=x", "web=-1", "=3", "web=1.5", "web+", "+1", "web+x", "-1",
                          "web--", "web=1:", "web:Basic", "web:Basic=1"}) {
    CHECK_FALSE(cli::parse_quantity(bad).has_value());
  }
  CHECK(cli::parse_quantity("web=two").error().message ==
        "\"web=two\" is not a process type and a count such as web=2, web+1 or web-1");
}

TEST_CASE("a formation may grow or shrink by a count") {
  using Kind = cli::QuantityChange::Kind;
  const auto more = cli::parse_quantity("web+2"), less = cli::parse_quantity("my-job-3"),
             to = cli::parse_quantity("my-job=3");
  CHECK(more->kind == Kind::kMore);
  CHECK(less->kind == Kind::kLess);
  CHECK(less->type == "my-job");
  CHECK(to->kind == Kind::kTo);
  CHECK(to->type == "my-job");
  CHECK(cli::apply_quantity(*more, 1) == 3);
  CHECK(cli::apply_quantity(*less, 3) == 0);
  CHECK(cli::apply_quantity(*less, 2).error().message == "my-job has 2 dynos, fewer than 3");
}

TEST_CASE("what was scaled is told as Heroku tells it, and nothing else") {
  const auto formation = json::parse(
      R"([{"type":"web","quantity":4,"size":"Basic"},{"type":"worker","quantity":1,"size":"Basic"}])");
  CHECK(cli::describe_quantities(*formation) == "web=4:Basic worker=1:Basic");
  CHECK(cli::describe_quantities(json::Value::array()) == "");
  CHECK(cli::describe_scaled(*formation, {*cli::parse_quantity("web=4")}) == "web at 4:Basic");
  CHECK(cli::describe_scaled(*formation, {*cli::parse_quantity("worker+1"), *cli::parse_quantity("web=4")}) ==
        "web at 4:Basic, worker at 1:Basic");
}

TEST_CASE("process types that a release lacks are told") {
  const auto release = json::parse(R"({"version":4,"stopped":[{"type":"worker","quantity":2}]})");
  CHECK(cli::describe_stopped(*release) ==
        " !     worker is no process type of v4: its dynos stop; 2 is remembered\n");
  CHECK(cli::describe_stopped(json::Value::object()).empty());
}

TEST_CASE("a git remote names its app") {
  CHECK(cli::app_of_remote("http://localhost:8080/shop.git\n") == "shop");
  CHECK(cli::app_of_remote("git@example.com:me/shop.git").empty());
  CHECK(cli::app_of_remote("").empty());
}

TEST_CASE("a time is shown with its age") {
  const auto now = *parse_rfc3339("2026-01-02T05:04:05Z");
  CHECK(cli::describe_time("2026-01-02T05:04:00Z", now) == "2026/01/02 05:04:00 +0000 (~ 5s ago)");
  CHECK(cli::describe_time("2026-01-02T03:04:05Z", now) == "2026/01/02 03:04:05 +0000 (~ 2h ago)");
  CHECK(cli::describe_time("2025-12-30T03:04:05Z", now) == "2025/12/30 03:04:05 +0000 (~ 3d ago)");
}

TEST_CASE("a path is absolute from the folder it was given in") {
  CHECK(cli::absolute_path("D", "/home/me") == "/home/me/D");
  CHECK(cli::absolute_path("../D/", "/home/me") == "/home/D");
  CHECK(cli::absolute_path("./a//b/.", "/home/me") == "/home/me/a/b");
  CHECK(cli::absolute_path(".", "/home/me") == "/home/me");
  CHECK(cli::absolute_path("/var/lib/skiff", "/home/me") == "/var/lib/skiff");
  CHECK(cli::absolute_path("/", "/home/me") == "/");
}

TEST_CASE("a mistyped command is known by its letters or by what stands before its colon") {
  const std::vector<std::string> commands = {"help", "apps", "config:get", "logs", "ps", "scale", "up"};
  const auto nearest = [&](std::string_view word) { return cli::nearest_command(word, commands); };
  CHECK(nearest("hlep") == "help");
  CHECK(nearest("log") == "logs");
  CHECK(nearest("sclae") == "scale");
  CHECK(nearest("config-gte") == "config:get");
  CHECK(nearest("logs:tail") == "logs");
  for (const char* far : {"", "run", "restart", "login", "pg:psql"}) {
    CAPTURE(far);
    CHECK(nearest(far).empty());
  }
  CHECK(nearest(std::string(1 << 20, 'a')).empty());
}

TEST_CASE("of the remotes of a folder those of one address are found, whatever they are called") {
  const std::string listing =
      "skiff\thttp://localhost:8080/shop.git (fetch)\nskiff\thttp://localhost:8080/shop.git (push)\n"
      "origin\thttps://github.com/me/shop.git (fetch)\norigin\thttps://github.com/me/shop.git (push)\n"
      "staging\thttp://localhost:8080/shop.git (fetch)\nother\thttp://localhost:8080/shop.git.old (fetch)\n";
  CHECK(cli::remotes_of_url(listing, "http://localhost:8080/shop.git") ==
        std::vector<std::string>{"skiff", "staging"});
  CHECK(cli::remotes_of_url("", "http://localhost:8080/shop.git").empty());
}

TEST_CASE("a rollback goes to the last release that came up, not to one that failed") {
  const auto releases = json::parse(R"([{"version":1,"status":"succeeded","slug":null},
    {"version":2,"status":"succeeded","slug":{"id":"x"}},{"version":3,"status":"failed","slug":{"id":"x"}},
    {"version":4,"status":"superseded","slug":{"id":"x"}},
    {"version":5,"status":"failed","slug":{"id":"x"},"current":true}])");
  REQUIRE(releases.has_value());
  CHECK(cli::find_rollback(*releases) == "v2");
  CHECK(cli::find_rollback(json::Value::array({releases->items()[0]})).empty());
}

TEST_CASE("a release tells why it is not up, and whether it serves") {
  const auto release = json::parse(
      R"({"status":"failed","message":"web.1: exited with status 7","current":true,"serving":false})");
  REQUIRE(release.has_value());
  std::map<std::string, std::string> facts;
  for (const auto& [label, value] : cli::describe_release(*release, WallTime{})) facts[label] = value;
  CHECK(facts["Message"] == "web.1: exited with status 7");
  CHECK(facts["Serving"] == "false");
  CHECK(facts["Current"] == "true");
}

TEST_CASE("dynos of two releases are counted apart") {
  const auto dyno = [](int version) {
    return json::Value::object({{"name", "web.1"},
                                {"type", "web"},
                                {"command", "./srv one"},
                                {"size", "Basic"},
                                {"state", "up"},
                                {"release", json::Value::object({{"version", version}})}});
  };
  const std::string one = cli::describe_dynos(json::Value::array({dyno(2)}), WallTime{});
  CHECK(one.starts_with("=== web (Basic): ./srv one (1)\nweb.1: up"));
  const std::string two = cli::describe_dynos(json::Value::array({dyno(2), dyno(3)}), WallTime{});
  CHECK(two.find("=== web (Basic): ./srv one (1 of v2)\nweb.1: up") == 0);
  CHECK(two.find("=== web (Basic): ./srv one (1 of v3)\nweb.1: up") != std::string::npos);
}
