#include "edge/backend_rules.h"

#include <doctest/doctest.h>

namespace skiff::edge {

TEST_CASE("allowed backends are addresses with ports") {
  const auto allowed = parse_allowed_backends("192.0.2.7:8080, [fd00::1]:80").value();
  REQUIRE(allowed.size() == 2);
  CHECK(allowed[0] == AllowedBackend{parse_ip("192.0.2.7").value(), 8080});
  CHECK(allowed[1] == AllowedBackend{parse_ip("fd00::1").value(), 80});
  CHECK(parse_allowed_backends("").value().empty());
  for (const char* wrong :
       {"192.0.2.7", "192.0.2.7:0", "192.0.2.7:65536", "host:80", "10.0.0.0/8:80", ":80", ","}) {
    CAPTURE(wrong);
    const auto refused = parse_allowed_backends(wrong);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("is no backend") != std::string::npos);
  }
}

TEST_CASE("without a range of pods nothing is followed") {
  CHECK(BackendRules{}.refusal("10.0.0.9", 80) == "endpoint 10.0.0.9:80 is outside the pods' range");
}

}  // namespace skiff::edge
