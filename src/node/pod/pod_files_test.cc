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
