#include "node/images/reference.h"

#include <doctest/doctest.h>

#include "node/images/image_service.h"

using namespace skiff::node;

TEST_CASE("short names mean the public library") {
  CHECK(parse_reference("nginx")->canonical() == "docker.io/library/nginx:latest");
  CHECK(parse_reference("me/app:1")->canonical() == "docker.io/me/app:1");
}

TEST_CASE("a registry has a dot or a port or is localhost") {
  CHECK(parse_reference("localhost/bb:1")->domain == "localhost");
  CHECK(parse_reference("r.example:5000/a/b")->canonical() == "r.example:5000/a/b:latest");
  CHECK(parse_reference("skiff.local/shop:v3")->domain == kLocalDomain);
}

TEST_CASE("bad references are refused") {
  for (const char* text :
       {"", "UPPER", "a b", "x:", "x@sha256:12", "/x", "a//b", "-x", "a b.c/x", "-o.c=/x"}) {
    CAPTURE(text);
    CHECK(!parse_reference(text));
  }
}

TEST_CASE("a name is measured spelled out, without its tag") {
  const std::string longest(255 - std::string("docker.io/me/").size(), 'a');
  const auto reference = parse_reference("me/" + longest + ":" + std::string(128, 't'));
  REQUIRE(reference);
  CHECK(parse_reference(reference->canonical())->canonical() == reference->canonical());
  CHECK(!parse_reference("me/" + longest + "a"));
}

TEST_CASE("without a policy the tag decides") {
  CHECK(pull_policy("", "nginx") == PullPolicy::kAlways);
  CHECK(pull_policy("", "nginx:1") == PullPolicy::kIfNotPresent);
  CHECK(pull_policy("Never", "nginx") == PullPolicy::kNever);
}
