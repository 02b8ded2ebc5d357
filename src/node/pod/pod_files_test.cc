#include "node/pod/pod_files.h"

#include <doctest/doctest.h>

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

TEST_CASE("a resolver on the node's loopback is replaced by the cluster's, which forwards to it") {
  const auto pod = *json::parse(R"({"metadata":{"namespace":"n"},"spec":{"dnsPolicy":"Default"}})");
  const auto host = parse_resolv_conf("nameserver 127.0.0.53\n");
  CHECK(make_resolv_conf(pod, host, "10.43.0.10", "cluster.local") == "nameserver 10.43.0.10\n");
}
