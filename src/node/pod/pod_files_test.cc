#include "node/pod/pod_files.h"

#include <doctest/doctest.h>

#include "base/strings.h"
#include "testing/cost.h"

using namespace skiff;
using namespace skiff::node;

TEST_CASE("a pod asks the cluster first, with the search list of its namespace") {
  const auto pod = *json::parse(R"({"metadata":{"name":"p","namespace":"shop"},"spec":{}})");
  const auto host = parse_resolv_conf("nameserver 192.0.2.53\nsearch corp.example\n");
  CHECK(make_resolv_conf(pod, host, "10.43.0.10", "cluster.local") ==
        "nameserver 10.43.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local corp.example\n"
        "options ndots:5\n");
}

TEST_CASE("the Default policy is the host's, dnsConfig is merged into it") {
  const auto pod = *json::parse(R"({"metadata":{"name":"p","namespace":"shop"},"spec":{"dnsPolicy":"Default",
    "dnsConfig":{"nameservers":["1.1.1.1"],"options":[{"name":"ndots","value":"2"}]}}})");
  const auto host = parse_resolv_conf("nameserver 192.0.2.53\noptions ndots:1 edns0\n");
  CHECK(make_resolv_conf(pod, host, "10.43.0.10", "cluster.local") ==
        "nameserver 192.0.2.53\nnameserver 1.1.1.1\noptions edns0 ndots:2\n");
}

TEST_CASE("the hosts file names the pod, and its full name when it has a subdomain") {
  const auto pod =
      *json::parse(R"({"metadata":{"name":"p","namespace":"n"},"spec":{"hostname":"h","subdomain":"s",
    "hostAliases":[{"ip":"1.2.3.4","hostnames":["a","b"]}]}})");
  const auto text = make_hosts(pod, "10.1.0.2", "cluster.local");
  CHECK(text.find("10.1.0.2\th.s.n.svc.cluster.local\th\n") != std::string::npos);
  CHECK(text.find("1.2.3.4\ta\tb\n") != std::string::npos);
}

TEST_CASE("with the host's network, a pod has the host's names and the aliases it wants") {
  const auto pod = *json::parse(R"({"metadata":{"name":"p","namespace":"n"},"spec":{"hostNetwork":true,
    "hostname":"ignored","hostAliases":[{"ip":"1.2.3.4","hostnames":["a","b"]}]}})");
  CHECK(make_host_network_hosts(pod, "127.0.0.1 localhost\n192.0.2.7 machine") ==
        "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n192.0.2.7 machine\n"
        "\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n");
  CHECK(kernel_hostname(pod, "machine", "cluster.local").value_or("") == "machine");
}

TEST_CASE("a pod's whole name is its host name when it asks for that, if the kernel takes it") {
  auto pod = *json::parse(R"({"metadata":{"name":"p","namespace":"n"},
    "spec":{"hostname":"h","subdomain":"s","setHostnameAsFQDN":true}})");
  CHECK(kernel_hostname(pod, "machine", "cluster.local").value_or("") == "h.s.n.svc.cluster.local");
  pod.edit("spec").set("subdomain", std::string(60, 's'));
  const auto refused = kernel_hostname(pod, "machine", "cluster.local");
  REQUIRE(!refused.has_value());
  CHECK(refused.error().message.find("is too long (64 characters is the max, 82") != std::string::npos);
  pod.edit("spec").set("setHostnameAsFQDN", false);
  CHECK(kernel_hostname(pod, "machine", "cluster.local").value_or("") == "h");
}

TEST_CASE("a resolver on the node's loopback is replaced by the cluster's, which forwards to it") {
  const auto pod = *json::parse(R"({"metadata":{"namespace":"n"},"spec":{"dnsPolicy":"Default"}})");
  const auto host = parse_resolv_conf("nameserver 127.0.0.53\n");
  CHECK(make_resolv_conf(pod, host, "10.43.0.10", "cluster.local") == "nameserver 10.43.0.10\n");
}

TEST_CASE("of what a pod lists for its resolver the first ones are kept, and of one option the last") {
  std::string options = R"({"name":"ndots","value":"1"})", searches = R"("s0")";
  for (int i = 1; i < 100; ++i) {
    options += R"(,{"name":"o)" + std::to_string(i) + R"("})";
    searches += R"(,"s)" + std::to_string(i) + R"(")";
  }
  options += R"(,{"name":"o1","value":"2"})";
  const auto pod = *json::parse(R"({"spec":{"dnsPolicy":"None","dnsConfig":{"nameservers":["1","2","3","4"],
    "searches":[)" + searches + R"(],"options":[)" +
                                options + "]}}}");
  const auto lines = split(make_resolv_conf(pod, {}, "", "cluster.local"), '\n');
  REQUIRE(lines.size() == 6);
  CHECK(lines[2] == "nameserver 3");
  CHECK(lines[3].ends_with(" s31"));
  CHECK(lines[4].starts_with("options ndots:1 o2 "));
  CHECK(lines[4].ends_with(" o64"));
}

TEST_CASE("the files of a pod cost what their lists are long") {
  const auto work = [](const std::string& text) {
    const auto pod = *json::parse(text);
    static_cast<void>(make_resolv_conf(pod, {}, "10.43.0.10", "cluster.local"));
    static_cast<void>(make_hosts(pod, "10.1.0.2", "cluster.local"));
  };
  const std::string head = R"({"metadata":{"name":"p","namespace":"n"},"spec":{)";
  const testing::Shape shapes[] = {
      {head + R"("dnsConfig":{"options":[)", R"({"name":"a#"},)", R"({"name":"z"}]}}})"},
      {head + R"("dnsConfig":{"options":[)", R"({"name":"a"},)", R"({"name":"z"}]}}})"},
      {head + R"("dnsConfig":{"searches":[)", R"("a#",)", R"("z"]}}})"},
      {head + R"("dnsConfig":{"nameservers":[)", R"("1.2.#",)", R"("z"]}}})"},
      {head + R"("hostAliases":[)", R"({"ip":"1","hostnames":["a#"]},)", R"({"ip":"2"}]}})"},
  };
  for (const auto& shape : shapes) {
    CAPTURE(shape.unit);
    CHECK(testing::growth(shape, testing::kSmallInput, testing::kLargeInput, work) < testing::kMostGrowth);
  }
}
