#include "platform/apps/procfile.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("a Procfile gives a command for each process type") {
  auto types = parse_procfile("# how we run\nweb: bin/server --port $PORT\n\nworker: bin/worker\r\n");
  REQUIRE(types.has_value());
  CHECK(types->at("web") == "bin/server --port $PORT");
  CHECK(types->at("worker") == "bin/worker");
  CHECK(types->size() == 2);
}

TEST_CASE("a bad Procfile line is named with its number") {
  for (const char* text : {"web: x\nnot a line", "web: x\n: y", "web: x\nweb y: z", "web: x\nworker:"}) {
    auto types = parse_procfile(text);
    REQUIRE_FALSE(types.has_value());
    CHECK(types.error().message.starts_with("Procfile line 2 "));
  }
}

TEST_CASE("a Procfile from Windows may begin with a byte order mark") {
  auto types = parse_procfile("\xEF\xBB\xBFweb: x\r\n");
  REQUIRE(types.has_value());
  CHECK(types->at("web") == "x");
}

TEST_CASE("what is wrong with a process type or its line is said") {
  auto longer = parse_procfile("web: x\n" + std::string(31, 'a') + ": y");
  REQUIRE_FALSE(longer.has_value());
  CHECK(longer.error().message.find("has 31 characters, and 30 are the most") != std::string::npos);
  auto binary = parse_procfile(std::string_view("web: x\0y\n", 9));
  REQUIRE_FALSE(binary.has_value());
  CHECK(binary.error().message.starts_with("Procfile line 1 holds a NUL byte"));
}

TEST_CASE("a process type stands once") {
  CHECK_FALSE(parse_procfile("web: a\nweb: b").has_value());
}

TEST_CASE("app names are those of Heroku") {
  CHECK(check_app_name("shop").has_value());
  CHECK(check_app_name("a-1").has_value());
  for (const char* name : {"", "ab", "1app", "App", "app-", "a_b", "api", "kube-system", "localhost"}) {
    CHECK_FALSE(check_app_name(name).has_value());
  }
}

TEST_CASE("config var names are names of environment variables") {
  CHECK(check_config_name("DATABASE_URL").has_value());
  for (const char* name : {"", "1A", "A-B", "A B", "A="}) CHECK_FALSE(check_config_name(name).has_value());
}

TEST_CASE("a Procfile with line ends of old Macs is refused") {
  const auto types = parse_procfile("web: ./a\rworker: ./b\r");
  REQUIRE_FALSE(types.has_value());
  CHECK(types.error().message.find("CR alone") != std::string::npos);
  CHECK(parse_procfile("web: ./a\r\nworker: ./b\r\n")->size() == 2);
}

TEST_CASE("a config var's value is text that a program can be given") {
  CHECK(check_config_value("A", "").has_value());
  CHECK(check_config_value("A", "ü\n\"x\"").has_value());
  CHECK_FALSE(check_config_value("A", std::string_view("a\0b", 3)).has_value());
  CHECK_FALSE(check_config_value("A", "a\xff").has_value());
  CHECK_FALSE(check_config_value("A", "a\xEF\xBF\xBD").has_value());
}
