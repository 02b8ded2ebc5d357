// /etc/hosts, /etc/hostname and /etc/resolv.conf of a pod: pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace skiff::node {

struct HostDns {
  std::vector<std::string> nameservers, searches, options;
};
HostDns parse_resolv_conf(const std::string& text);

// The pod's name cut to 63 characters, or spec.hostname.
std::string pod_hostname(const json::Value& pod);
// What `hostname` tells: the node's with hostNetwork, the whole name with setHostnameAsFQDN. InvalidArgument
// when that is longer than the kernel takes.
Result<std::string> kernel_hostname(const json::Value& pod, const std::string& node_hostname,
                                    const std::string& cluster_domain);
std::string make_hosts(const json::Value& pod, const std::string& pod_ip, const std::string& cluster_domain);
// With hostNetwork: the host's own file (`host`), and the aliases.
std::string make_host_network_hosts(const json::Value& pod, const std::string& host);
// `host` is what the node itself uses. Bounded in servers, search domains and options, whatever the pod
// lists: the first ones are kept, and of options with one name the last.
std::string make_resolv_conf(const json::Value& pod, const HostDns& host, const std::string& cluster_dns,
                             const std::string& cluster_domain);

}  // namespace skiff::node
