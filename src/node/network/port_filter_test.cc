#include "node/network/port_filter.h"

#include <doctest/doctest.h>

using namespace skiff::node;

namespace {
const PodPort kPort{"skabc123f00", 0x0A2A0005};
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("a link-layer address follows from the pod's address") {
  CHECK(format_mac(mac_of(0x0A2A0005)) == "0a:58:0a:2a:00:05");
}

TEST_CASE("a pod's port lets in what carries its own addresses, and nothing else") {
  const std::string text = make_port_filter("abc123", {kPort});
  CHECK(has(text, "elements = { \"skabc123f00\" . 0a:58:0a:2a:00:05 . 10.42.0.5 }"));
  CHECK(has(text, "iifname \"skabc123*\" jump from-pod"));
  CHECK(has(text, "@pods accept\n    drop\n"));
  CHECK(has(text, "table bridge skiff-abc123\ndelete table bridge skiff-abc123\n"));
}

TEST_CASE("a filter without pods has no elements") {
  CHECK_FALSE(has(make_port_filter("abc123", {}), "elements"));
}

TEST_CASE("a port comes and goes by itself") {
  const std::string element = "pods { \"skabc123f00\" . 0a:58:0a:2a:00:05 . 10.42.0.5 }\n";
  CHECK(allow_port("abc123", kPort) == "add element bridge skiff-abc123 " + element);
  CHECK(has(forget_port("abc123", kPort), "delete element bridge skiff-abc123 " + element));
}
