#include "node/pod/pod_files.h"

#include <algorithm>
#include <unordered_set>

#include "base/strings.h"

namespace skiff::node {

namespace {
constexpr size_t kMaxHostname = 63, kMaxKernelHostname = 64;  // HOST_NAME_MAX
// Of /etc/resolv.conf: as many as resolvers read, and no more than a line has room for.
constexpr size_t kMaxNameservers = 3, kMaxSearches = 32, kMaxSearchChars = 2048;
constexpr size_t kMaxOptions = 64, kMaxOptionChars = 2048;

// What `most` leaves no room for is not looked at.
void add_unique(std::vector<std::string>& list, const json::Value& items, size_t most) {
  for (const auto& item : items.items()) {
    if (list.size() >= most) return;
    if (std::ranges::find(list, item.str()) == list.end()) list.push_back(item.str());
  }
}

std::string_view option_name(std::string_view option) {
  return option.substr(0, option.find(':'));
}

// Of each name ("ndots" of "ndots:2") the last one counts.
std::vector<std::string> last_of_each(const std::vector<std::string>& options) {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string> out;
  for (auto option = options.rbegin(); option != options.rend(); ++option) {
    if (seen.insert(option_name(*option)).second) out.push_back(*option);
  }
  std::ranges::reverse(out);
  return out;
}

// A resolver on the node's loopback can't be reached from a pod's network.
void leave_out_loopback(HostDns& dns, const std::string& instead) {
  std::erase_if(dns.nameservers,
                [](const std::string& server) { return server.starts_with("127.") || server == "::1"; });
  if (dns.nameservers.empty() && !instead.empty()) dns.nameservers.push_back(instead);
}

// "" without a subdomain.
std::string pod_domain(const json::Value& pod, const std::string& cluster_domain) {
  const auto& subdomain = pod["spec"]["subdomain"].str();
  if (subdomain.empty()) return "";
  return subdomain + "." + pod["metadata"]["namespace"].str() + ".svc." + cluster_domain;
}

std::string host_aliases(const json::Value& pod) {
  const auto& aliases = pod["spec"]["hostAliases"].items();
  std::string out = aliases.empty() ? "" : "\n# Entries added by HostAliases.\n";
  for (const auto& alias : aliases) {
    out += alias["ip"].str();
    for (const auto& name : alias["hostnames"].items()) out += "\t" + name.str();
    out += "\n";
  }
  return out;
}

// The first ones that together stay within both bounds, with a blank between two.
void keep_first(std::vector<std::string>& list, size_t most, size_t most_chars) {
  size_t kept = 0, chars = 0;
  for (; kept < std::min(list.size(), most); ++kept) {
    chars += list[kept].size() + (kept > 0 ? 1 : 0);
    if (chars > most_chars) break;
  }
  list.resize(kept);
}

void bound(HostDns& dns) {
  if (dns.nameservers.size() > kMaxNameservers) dns.nameservers.resize(kMaxNameservers);
  keep_first(dns.searches, kMaxSearches, kMaxSearchChars);
  dns.options = last_of_each(dns.options);
  keep_first(dns.options, kMaxOptions, kMaxOptionChars);
}
}  // namespace

HostDns parse_resolv_conf(const std::string& text) {
  HostDns out;
  for (const auto& line : split(text, '\n')) {
    std::vector<std::string> words;
    for (const auto& word : split(replace_all(line, "\t", " "), ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (words.size() < 2) continue;
    if (words[0] == "nameserver") out.nameservers.push_back(words[1]);
    if (words[0] == "search") out.searches.assign(words.begin() + 1, words.end());
    if (words[0] == "options") out.options.insert(out.options.end(), words.begin() + 1, words.end());
  }
  return out;
}

std::string pod_hostname(const json::Value& pod) {
  const auto& wanted = pod["spec"]["hostname"].str();
  if (!wanted.empty()) return wanted;
  std::string name = pod["metadata"]["name"].str().substr(0, kMaxHostname);
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

Result<std::string> kernel_hostname(const json::Value& pod, const std::string& node_hostname,
                                    const std::string& cluster_domain) {
  if (pod["spec"]["hostNetwork"].as_bool()) return node_hostname;
  const std::string domain = pod_domain(pod, cluster_domain);
  if (domain.empty() || !pod["spec"]["setHostnameAsFQDN"].as_bool()) return pod_hostname(pod);
  std::string full = pod_hostname(pod) + "." + domain;
  if (full.size() <= kMaxKernelHostname) return full;
  return fail(Code::kInvalidArgument, "Failed to construct FQDN from pod hostname and cluster domain, FQDN " +
                                          full + " is too long (" + std::to_string(kMaxKernelHostname) +
                                          " characters is the max, " + std::to_string(full.size()) +
                                          " characters requested)");
}

std::string make_host_network_hosts(const json::Value& pod, const std::string& host) {
  const char* end = host.empty() || host.back() == '\n' ? "" : "\n";
  return "# Kubernetes-managed hosts file (host network).\n" + host + end + host_aliases(pod);
}

std::string make_hosts(const json::Value& pod, const std::string& pod_ip, const std::string& cluster_domain) {
  std::string out =
      "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
      "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";
  const std::string host = pod_hostname(pod);
  const std::string domain = pod_domain(pod, cluster_domain);
  const std::string full = domain.empty() ? "" : host + "." + domain + "\t";
  if (!pod_ip.empty()) out += pod_ip + "\t" + full + host + "\n";
  return out + host_aliases(pod);
}

std::string make_resolv_conf(const json::Value& pod, const HostDns& host, const std::string& cluster_dns,
                             const std::string& cluster_domain) {
  const auto& spec = pod["spec"];
  const std::string policy = spec["dnsPolicy"].str_or("ClusterFirst");
  const bool host_network = spec["hostNetwork"].as_bool();
  const bool cluster = !cluster_dns.empty() &&
                       (policy == "ClusterFirstWithHostNet" || (policy == "ClusterFirst" && !host_network));
  HostDns dns;
  if (cluster) {
    const std::string services = "svc." + cluster_domain;
    dns.nameservers = {cluster_dns};
    dns.searches = {pod["metadata"]["namespace"].str() + "." + services, services, cluster_domain};
    for (const auto& search : host.searches) {
      if (std::ranges::find(dns.searches, search) == dns.searches.end()) dns.searches.push_back(search);
    }
    dns.options = {"ndots:5"};
  } else if (policy != "None") {
    dns = host;
    if (!host_network) leave_out_loopback(dns, cluster_dns);
  }
  const auto& config = spec["dnsConfig"];
  add_unique(dns.nameservers, config["nameservers"], kMaxNameservers);
  add_unique(dns.searches, config["searches"], kMaxSearches);
  for (const auto& option : config["options"].items()) {
    const auto& value = option["value"].str();
    dns.options.push_back(option["name"].str() + (value.empty() ? "" : ":" + value));
  }
  bound(dns);
  std::string out;
  for (const auto& server : dns.nameservers) out += "nameserver " + server + "\n";
  if (!dns.searches.empty()) out += "search " + join(dns.searches, " ") + "\n";
  if (!dns.options.empty()) out += "options " + join(dns.options, " ") + "\n";
  return out;
}

}  // namespace skiff::node
