#include "kube/server/escalation.h"

#include <algorithm>
#include <functional>
#include <map>

#include "base/strings.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

using json::Value;

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

// A rule of one verb on one thing.
struct Atom {
  std::string verb, group, resource, name, path;
};

std::vector<std::string> texts_of(const Value& list, bool one_at_least) {
  std::vector<std::string> out;
  for (const auto& item : list.items()) out.push_back(item.str());
  if (out.empty() && one_at_least) out.emplace_back();
  return out;
}

// How many atoms a rule may be taken apart into: one of a few hundred bytes could make millions.
constexpr size_t kMaxAtoms = 4096;

size_t count_atoms(const Value& rule) {
  const size_t things = rule["apiGroups"].size() * rule["resources"].size();
  return rule["verbs"].size() *
         (rule["nonResourceURLs"].size() + things * std::max<size_t>(rule["resourceNames"].size(), 1));
}

std::vector<Atom> atoms_of(const Value& rule) {
  std::vector<Atom> out;
  const auto paths = texts_of(rule["nonResourceURLs"], false);
  for (const auto& verb : texts_of(rule["verbs"], false)) {
    for (const auto& path : paths) out.push_back({verb, "", "", "", path});
    for (const auto& group : texts_of(rule["apiGroups"], false)) {
      for (const auto& resource : texts_of(rule["resources"], false)) {
        for (const auto& name : texts_of(rule["resourceNames"], true))
          out.push_back({verb, group, resource, name, ""});
      }
    }
  }
  return out;
}

bool has(const Value& list, std::string_view wanted) {
  return std::ranges::any_of(list.items(),
                             [&](const Value& item) { return item.str() == "*" || item.str() == wanted; });
}

bool covers_resource(const Value& list, const std::string& resource) {
  if (has(list, resource)) return true;
  const auto [whole, subresource, found] = split_once(resource, "/");
  return found && has(list, "*/" + std::string(subresource));
}

bool covers_path(const Value& list, const std::string& path) {
  return std::ranges::any_of(list.items(), [&](const Value& item) {
    const std::string& pattern = item.str();
    if (pattern == path) return true;
    return pattern.ends_with('*') &&
           path.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  });
}

bool covers(const Value& rule, const Atom& atom) {
  if (!has(rule["verbs"], atom.verb)) return false;
  if (!atom.path.empty()) return covers_path(rule["nonResourceURLs"], atom.path);
  if (!has(rule["apiGroups"], atom.group) || !covers_resource(rule["resources"], atom.resource)) return false;
  const Value& names = rule["resourceNames"];
  if (names.empty()) return true;
  // A name is a name: "*" grants no other.
  return !atom.name.empty() &&
         std::ranges::any_of(names.items(), [&](const Value& item) { return item.str() == atom.name; });
}

bool covers_all(const Value& list, const std::function<bool(const std::string& text)>& covered) {
  return std::ranges::all_of(list.items(), [&](const Value& item) { return covered(item.str()); });
}

// True when each thing of the rule is covered by the other one alone.
bool covers_rule(const Value& own, const Value& rule) {
  const auto listed = [](const Value& list) {
    return [&list](const std::string& text) { return has(list, text); };
  };
  const auto& names = own["resourceNames"];
  return covers_all(rule["verbs"], listed(own["verbs"])) &&
         covers_all(rule["nonResourceURLs"],
                    [&](const auto& path) { return covers_path(own["nonResourceURLs"], path); }) &&
         covers_all(rule["apiGroups"], listed(own["apiGroups"])) &&
         covers_all(rule["resources"],
                    [&](const auto& resource) { return covers_resource(own["resources"], resource); }) &&
         (names.empty() ||
          (!rule["resourceNames"].empty() && covers_all(rule["resourceNames"], [&](const auto& name) {
            return std::ranges::any_of(names.items(), [&](const Value& one) { return one.str() == name; });
          })));
}

// ["a" "b"], as Go prints a list of strings.
std::string quoted_list(const std::vector<std::string>& items) {
  std::vector<std::string> out;
  for (const auto& item : items) out.push_back(json::encode(Value(item)));
  return "[" + join(out, " ") + "]";
}

std::string describe(const Atom& atom, const std::vector<std::string>& verbs) {
  std::vector<std::string> parts;
  if (atom.path.empty()) {
    parts = {"APIGroups:" + quoted_list({atom.group}), "Resources:" + quoted_list({atom.resource})};
    if (!atom.name.empty()) parts.push_back("ResourceNames:" + quoted_list({atom.name}));
  } else {
    parts = {"NonResourceURLs:" + quoted_list({atom.path})};
  }
  parts.push_back("Verbs:" + quoted_list(verbs));
  return "{" + join(parts, ", ") + "}";
}

std::vector<Value> rules_of(const Value& role) {
  return {role["rules"].items().begin(), role["rules"].items().end()};
}

Error refused(const UserInfo& user, const Target& target, const std::vector<std::string>& missing) {
  return forbidden(kGroup, target.kind->plural, target.name,
                   "user " + json::encode(Value(user.name)) + " (groups=" + quoted_list(user.groups) +
                       ") is attempting to grant RBAC permissions not currently held:\n" +
                       join(missing, "\n"));
}

Attributes asking(const char* verb, const std::string& plural, const Target& target,
                  const std::string& name) {
  Attributes out;
  out.verb = verb;
  out.group = kGroup;
  out.resource = plural;
  out.name_space = target.name_space;
  out.name = name;
  return out;
}

Result<void> check_role(Authorizer& authorizer, const UserInfo& user, const Target& target, const Value& role,
                        const Value* before) {
  const bool same = before && (*before)["rules"] == role["rules"] &&
                    (*before)["aggregationRule"] == role["aggregationRule"];
  if (same || authorizer.allows(user, asking("escalate", target.kind->plural, target, target.name)))
    return {};
  const auto held = authorizer.rules_for(user, target.name_space);
  if (!role["aggregationRule"].is_null()) {
    const Value all = Value::array({"*"});
    const Value everything = Value::object({{"apiGroups", all}, {"resources", all}, {"verbs", all}});
    if (!missing_rules(held, {everything}).empty()) {
      return std::unexpected(forbidden(kGroup, target.kind->plural, target.name,
                                       "must have cluster-admin privileges to use the aggregationRule"));
    }
  }
  const auto missing = missing_rules(held, rules_of(role));
  if (missing.empty()) return {};
  return std::unexpected(refused(user, target, missing));
}

Result<void> check_binding(Authorizer& authorizer, const UserInfo& user, const Target& target,
                           const Value& binding, const Value* before) {
  const Value& ref = binding["roleRef"];
  const bool same = before && (*before)["subjects"] == binding["subjects"] && (*before)["roleRef"] == ref;
  const std::string plural = ref["kind"].str() == "Role" ? "roles" : "clusterroles";
  const std::string& name = ref["name"].str();
  if (same || authorizer.allows(user, asking("bind", plural, target, name))) return {};
  const auto granted = authorizer.rules_of_role(ref, target.name_space);
  if (!granted) return std::unexpected(not_found(kGroup, plural, name));
  const auto missing = missing_rules(authorizer.rules_for(user, target.name_space), *granted);
  if (missing.empty()) return {};
  return std::unexpected(refused(user, target, missing));
}

}  // namespace

std::vector<std::string> missing_rules(const std::vector<Value>& held, const std::vector<Value>& wanted) {
  using Thing = std::tuple<std::string, std::string, std::string, std::string>;
  std::map<Thing, std::pair<Atom, std::vector<std::string>>> uncovered;
  std::vector<std::string> out;
  for (const auto& rule : wanted) {
    if (std::ranges::any_of(held, [&](const Value& own) { return covers_rule(own, rule); })) continue;
    if (count_atoms(rule) > kMaxAtoms) {
      out.push_back("a rule of more than " + std::to_string(kMaxAtoms) +
                    " combinations that no single rule held covers: split it");
      continue;
    }
    for (const auto& atom : atoms_of(rule)) {
      if (std::ranges::any_of(held, [&](const Value& own) { return covers(own, atom); })) continue;
      auto& [first, verbs] = uncovered[{atom.group, atom.resource, atom.name, atom.path}];
      if (verbs.empty()) first = atom;
      if (std::ranges::find(verbs, atom.verb) == verbs.end()) verbs.push_back(atom.verb);
    }
  }
  for (const auto& [thing, missing] : uncovered) out.push_back(describe(missing.first, missing.second));
  std::ranges::sort(out);
  return out;
}

Result<void> check_escalation(Authorizer& authorizer, const UserInfo& user, const Target& target,
                              const Value& object, const Value* before) {
  const Kind& kind = *target.kind;
  if (kind.group != kGroup) return {};
  Target named = target;
  named.name = object["metadata"]["name"].str();
  const bool role = kind.kind == "Role" || kind.kind == "ClusterRole";
  return role ? check_role(authorizer, user, named, object, before)
              : check_binding(authorizer, user, named, object, before);
}

}  // namespace skiff::kube
