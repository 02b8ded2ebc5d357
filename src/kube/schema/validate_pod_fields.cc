// What a pod says of its host, its names and its place.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr size_t kMostNameservers = 3, kMostSearches = 32, kLongestSearchList = 2048;
constexpr std::string_view kIpRule = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

void check_address(const Value& address, const std::string& field, Findings& findings) {
  if (!is_ip(address.str())) findings.invalid(field, Value(address.str()), kIpRule);
}

void check_host_aliases(const Value& aliases, const std::string& field, Findings& findings) {
  for (size_t i = 0; i < aliases.size(); ++i) {
    const auto at = fmt::format("{}.hostAliases[{}]", field, i);
    check_address(aliases.at(i)["ip"], at + ".ip", findings);
    const auto& names = aliases.at(i)["hostnames"];
    for (size_t j = 0; j < names.size(); ++j)
      findings.invalid_all(fmt::format("{}.hostnames[{}]", at, j), names.at(j),
                           check_dns_subdomain(names.at(j).str()));
  }
}

std::string go_strings(const Value& list) {
  std::vector<std::string> quoted;
  for (const auto& item : list.items()) quoted.push_back(json::encode(item));
  return "[]string{" + join(quoted, ", ") + "}";
}

void check_searches(const Value& searches, const std::string& field, Findings& findings) {
  size_t length = 0;
  for (const auto& search : searches.items()) length += search.str().size() + 1;
  if (searches.size() > kMostSearches)
    findings.invalid_text(field, go_strings(searches),
                          fmt::format("must not have more than {} search paths", kMostSearches));
  if (length > kLongestSearchList + 1)
    findings.invalid_text(
        field, go_strings(searches),
        fmt::format("must not have more than {} characters (including spaces) in the search list",
                    kLongestSearchList));
  for (size_t i = 0; i < searches.size(); ++i) {
    std::string_view name = searches.at(i).str();
    if (name.ends_with('.')) name.remove_suffix(1);
    findings.invalid_all(fmt::format("{}[{}]", field, i), Value(std::string(name)),
                         check_dns_subdomain(name));
  }
}

void check_dns_config(const Value& config, const std::string& field, Findings& findings) {
  const auto& servers = config["nameservers"];
  if (servers.size() > kMostNameservers)
    findings.invalid_text(field + ".nameservers", go_strings(servers),
                          fmt::format("must not have more than {} nameservers", kMostNameservers));
  for (size_t i = 0; i < servers.size(); ++i)
    check_address(servers.at(i), fmt::format("{}.nameservers[{}]", field, i), findings);
  check_searches(config["searches"], field + ".searches", findings);
  const auto& options = config["options"];
  for (size_t i = 0; i < options.size(); ++i) {
    if (options.at(i)["name"].empty())
      findings.required(fmt::format("{}.options[{}]", field, i), "must not be empty");
  }
}

void check_gates(const Value& gates, const std::string& field, Findings& findings) {
  std::set<std::string> seen;
  for (size_t i = 0; i < gates.size(); ++i) {
    const auto at = fmt::format("{}.schedulingGates[{}]", field, i);
    const auto& name = gates.at(i)["name"].str();
    findings.invalid_all(at, Value(name), check_qualified_name(name));
    if (!seen.insert(name).second) findings.duplicate(at, Value(name));
  }
}

void check_label_keys(const Value& constraint, const std::string& field, Findings& findings) {
  const auto& keys = constraint["matchLabelKeys"];
  const auto& selector = constraint["labelSelector"];
  if (!keys.empty() && selector.is_null())
    findings.forbidden(field, "must not be specified when labelSelector is not set");
  std::set<std::string> selected;
  for (const auto& [name, value] : selector["matchLabels"].members()) selected.insert(name);
  for (const auto& one : selector["matchExpressions"].items()) selected.insert(one["key"].str());
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto at = fmt::format("{}[{}]", field, i);
    const auto& key = keys.at(i).str();
    findings.invalid_all(at, keys.at(i), check_qualified_name(key));
    if (selected.contains(key))
      findings.invalid(at, keys.at(i), "exists in both matchLabelKeys and labelSelector");
  }
}

void check_positive(const Value& number, const std::string& field, Findings& findings) {
  if (number.as_int() <= 0) findings.invalid(field, Value(number.as_int()), "must be greater than zero");
}

void check_constraint(const Value& constraint, const std::string& at, Findings& findings) {
  check_positive(constraint["maxSkew"], at + ".maxSkew", findings);
  if (constraint["topologyKey"].empty()) findings.required(at + ".topologyKey", "can not be empty");
  const auto& action = constraint["whenUnsatisfiable"].str();
  if (action != "DoNotSchedule" && action != "ScheduleAnyway")
    findings.unsupported(at + ".whenUnsatisfiable", Value(action), {"DoNotSchedule", "ScheduleAnyway"});
  if (const auto& domains = constraint["minDomains"]; !domains.is_null()) {
    check_positive(domains, at + ".minDomains", findings);
    if (action != "DoNotSchedule")
      findings.invalid(
          at + ".minDomains", domains,
          fmt::format("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}", action));
  }
  for (const char* policy : {"nodeAffinityPolicy", "nodeTaintsPolicy"})
    check_choice(constraint[policy], fmt::format("{}.{}", at, policy), {"Honor", "Ignore"}, findings);
  check_label_keys(constraint, at + ".matchLabelKeys", findings);
  validate_selector(constraint["labelSelector"], at + ".labelSelector", findings);
}

// Where a later constraint asks the same again.
std::set<size_t> repeated(const Value& constraints) {
  std::set<std::pair<std::string, std::string>> later;
  std::set<size_t> out;
  for (size_t i = constraints.size(); i-- > 0;) {
    const auto& one = constraints.at(i);
    if (!later.emplace(one["topologyKey"].str(), one["whenUnsatisfiable"].str()).second) out.insert(i);
  }
  return out;
}

void check_spread(const Value& constraints, const std::string& field, Findings& findings) {
  const auto again = repeated(constraints);
  for (size_t i = 0; i < constraints.size(); ++i) {
    const auto at = fmt::format("{}.topologySpreadConstraints[{}]", field, i);
    const auto& constraint = constraints.at(i);
    check_constraint(constraint, at, findings);
    if (!again.contains(i)) continue;
    findings.duplicate(at + ".{topologyKey, whenUnsatisfiable}",
                       Value(fmt::format("{{{}, {}}}", constraint["topologyKey"].str(),
                                         constraint["whenUnsatisfiable"].str())));
  }
}

}  // namespace

void validate_pod_fields(const Value& spec, const std::string& field, Findings& findings) {
  for (const char* name : {"hostname", "subdomain"}) {
    if (!spec[name].empty())
      findings.invalid_all(fmt::format("{}.{}", field, name), spec[name], check_dns_label(spec[name].str()));
  }
  check_host_aliases(spec["hostAliases"], field, findings);
  check_dns_config(spec["dnsConfig"], field + ".dnsConfig", findings);
  check_gates(spec["schedulingGates"], field, findings);
  check_spread(spec["topologySpreadConstraints"], field, findings);
  if (const auto& os = spec["os"]; os.is_object()) {
    if (os["name"].empty())
      findings.required(field + ".os.name");
    else
      check_choice(os["name"], field + ".os", {"linux", "windows"}, findings);
  }
  check_choice(spec["preemptionPolicy"], field + ".preemptionPolicy", {"Never", "PreemptLowerPriority"},
               findings);
}

}  // namespace skiff::kube
