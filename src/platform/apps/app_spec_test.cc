#include "platform/apps/app_spec.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;
using json::Value;

TEST_CASE("an App's spec comes back as it was written") {
  const AppSpec spec{3, Maintenance::kOn, {{"web", 2}, {"worker", 0}}, {"heroku/nodejs", "heroku/go"}};
  CHECK(parse_app_spec(Value::object({{"spec", encode_app_spec(spec)}})) == spec);
  CHECK(parse_app_spec(Value::object()) == AppSpec{});
  CHECK_FALSE(encode_app_spec({}).contains("release"));
  CHECK_FALSE(encode_app_spec({}).contains("buildpacks"));
}

TEST_CASE("a release keeps the quantities of its types; a first web runs") {
  Release release;
  release.version = 4;
  release.types = {{"web", "a"}, {"worker", "b"}, {"clock", "c"}};
  const AppSpec first = with_release({}, release);
  CHECK(first.release == 4);
  CHECK(first.formation == std::map<std::string, int>{{"clock", 0}, {"web", 1}, {"worker", 0}});
  const AppSpec scaled{3, Maintenance::kOff, {{"web", 0}, {"worker", 5}, {"gone", 2}}};
  CHECK(with_release(scaled, release).formation ==
        std::map<std::string, int>{{"clock", 0}, {"gone", 2}, {"web", 0}, {"worker", 5}});
}

TEST_CASE("a process type that goes and returns has the dynos that it had") {
  Release with, without;
  with.types = {{"web", "a"}, {"worker", "b"}};
  without.types = {{"web", "a"}, {"workers", "b"}};
  AppSpec spec = with_release({}, with);
  spec.formation["worker"] = 2;
  spec = with_release(spec, without);
  CHECK(formation_of(spec, without) == std::map<std::string, int>{{"web", 1}, {"workers", 0}});
  spec = with_release(spec, with);
  CHECK(formation_of(spec, with) == std::map<std::string, int>{{"web", 1}, {"worker", 2}});
}

TEST_CASE("types that are gone are remembered as far as a formation may go") {
  AppSpec spec;
  for (int i = 0; i < 50; ++i) spec.formation["old-" + std::to_string(i)] = 1;
  Release release;
  release.types = {{"web", "a"}};
  const AppSpec next = with_release(spec, release);
  CHECK(next.formation.size() == 50);
  CHECK(next.formation.contains("web"));
}

TEST_CASE("an App is rolled out when its status has seen its generation") {
  const auto app = [](int generation, Value status) {
    return Value::object(
        {{"metadata", Value::object({{"generation", generation}})}, {"status", std::move(status)}});
  };
  CHECK(is_rolled_out(app(2, Value::object({{"observedGeneration", 2}}))));
  CHECK_FALSE(is_rolled_out(app(3, Value::object({{"observedGeneration", 2}}))));
  CHECK_FALSE(is_rolled_out(app(1, nullptr)));
}

TEST_CASE("a release comes back from its resource") {
  Release release;
  release.version = 7;
  release.description = "Deploy 3f2a";
  release.image = "skiff.local/shop:3f2a";
  release.digest = "sha256:" + std::string(64, 'a');
  release.commit = "3f2a";
  release.types = {{"web", "bin/web"}};
  const Value object = release_manifest("shop", release);
  CHECK(object["metadata"]["name"].str() == "v7");
  CHECK(object["spec"]["configSecret"].str() == "config-v7");
  const Release again = parse_release(object);
  CHECK(again.digest == release.digest);
  CHECK(again.types == release.types);
  CHECK(again.phase == "Pending");
}
