#include "kube/server/definition_status.h"

#include <algorithm>

#include "base/strings.h"
#include "kube/schema/validate.h"

namespace skiff::kube {

namespace {

using json::Value;

struct Judgement {
  const char* type;
  const char* status;
  const char* reason;
  std::string message;
};

// The time of transition stays while the status stays.
void put_condition(Value& conditions, const Judgement& judgement, WallTime now) {
  Value made = Value::object({{"type", judgement.type},
                              {"status", judgement.status},
                              {"lastTransitionTime", format_rfc3339(now)},
                              {"reason", judgement.reason},
                              {"message", judgement.message}});
  for (auto& old : conditions.edit_items()) {
    if (old["type"].str() != judgement.type) continue;
    if (old["status"].str() == judgement.status) made.set("lastTransitionTime", old["lastTransitionTime"]);
    old = std::move(made);
    return;
  }
  conditions.push_back(std::move(made));
}

bool takes(const Kind& kind, std::string_view name) {
  return kind.plural == name || kind.singular == name ||
         std::ranges::find(kind.short_names, name) != kind.short_names.end();
}

std::string list_kind(const std::string& kind, const Value& given) {
  return given.str_or(kind + "List");
}

// Why the names cannot be had; no reason when they can. Of several conflicts the last is told, as upstream.
Judgement accept_names(const Value& spec, const Registry& registry) {
  const std::string& group = spec["group"].str();
  const Value& names = spec["names"];
  const std::string& plural = names["plural"].str();
  const std::string& name = names["kind"].str();
  std::vector<KindPtr> others;
  for (auto& kind : registry.all()) {
    const bool own = kind->custom && kind->group == group && kind->plural == plural;
    if (!own && kind->group == group) others.push_back(std::move(kind));
  }
  const auto taken = [&](const std::string& resource) {
    return std::ranges::any_of(others, [&](const KindPtr& kind) { return takes(*kind, resource); });
  };
  const auto named = [&](const std::string& wanted) {
    return std::ranges::any_of(
        others, [&](const KindPtr& kind) { return kind->kind == wanted || kind->kind + "List" == wanted; });
  };
  const auto used = [](const std::string& word) { return "\"" + word + "\" is already in use"; };
  Judgement out{"NamesAccepted", "True", "NoConflicts", "no conflicts found"};
  const auto refuse = [&](const char* reason, std::string message) {
    out = {"NamesAccepted", "False", reason, std::move(message)};
  };
  const std::string singular = names["singular"].str_or(to_lower(name));
  if (taken(plural)) refuse("PluralConflict", used(plural));
  if (taken(singular)) refuse("SingularConflict", used(singular));
  std::vector<std::string> short_taken;
  for (const auto& short_name : names["shortNames"].items()) {
    if (taken(short_name.str())) short_taken.push_back(used(short_name.str()));
  }
  if (short_taken.size() == 1) refuse("ShortNamesConflict", short_taken.front());
  if (short_taken.size() > 1) refuse("ShortNamesConflict", "[" + join(short_taken, ", ") + "]");
  if (named(name)) refuse("KindConflict", used(name));
  if (const auto list = list_kind(name, names["listKind"]); named(list))
    refuse("ListKindConflict", used(list));
  return out;
}

Value accepted_names(const Value& spec) {
  Value names = spec["names"];
  if (names["singular"].str().empty()) names.set("singular", to_lower(names["kind"].str()));
  if (names["listKind"].str().empty()) names.set("listKind", names["kind"].str() + "List");
  return names;
}

// What the server said before of each condition of its own, and what is said now of those of others.
Value known_conditions(const Value& definition, const Value& before) {
  constexpr std::string_view kOwn[] = {"NamesAccepted", "Established", "Terminating"};
  const auto is_own = [&](const Value& condition) {
    return std::ranges::find(kOwn, std::string_view(condition["type"].str())) != std::end(kOwn);
  };
  Value out = Value::array();
  for (const auto& condition : before["status"]["conditions"].items()) {
    if (is_own(condition)) out.push_back(condition);
  }
  for (const auto& condition : definition["status"]["conditions"].items()) {
    if (!is_own(condition)) out.push_back(condition);
  }
  return out;
}

// Writers of the status take away what they have migrated; the one that objects are kept under stays.
Value stored_versions(const Value& definition) {
  Value out = definition["status"]["storedVersions"];
  if (!out.is_array()) out = Value::array();
  for (const auto& version : definition["spec"]["versions"].items()) {
    const bool known = std::ranges::find(out.items(), version["name"]) != out.items().end();
    if (version["storage"].as_bool() && !known) out.push_back(version["name"]);
  }
  return out;
}

// Rules that nobody evaluates.
bool holds_rules(const Value& schema) {
  const auto& rules = schema["x-kubernetes-validations"].items();
  if (!std::ranges::all_of(rules, is_unchanging_rule)) return true;
  const auto any_holds = [](const Value& members) {
    return std::ranges::any_of(members.members(),
                               [](const auto& member) { return holds_rules(member.second); });
  };
  const auto one_holds = [](const Value& list) { return std::ranges::any_of(list.items(), holds_rules); };
  if (!schema.is_object()) return false;
  return any_holds(schema["properties"]) || holds_rules(schema["additionalProperties"]) ||
         holds_rules(schema["items"]) || one_holds(schema["allOf"]) || one_holds(schema["anyOf"]);
}

}  // namespace

Value definition_status(const Value& definition, const Value& before, const Registry& registry,
                        WallTime now) {
  const Value& spec = definition["spec"];
  const Judgement names = accept_names(spec, registry);
  const bool accepted = names.status == std::string_view("True");
  Value conditions = known_conditions(definition, before);
  put_condition(conditions, names, now);
  if (accepted) {
    put_condition(conditions,
                  {"Established", "True", "InitialNamesAccepted", "the initial names have been accepted"},
                  now);
  } else {
    put_condition(conditions, {"Established", "False", "NotAccepted", "not all names are accepted"}, now);
  }
  const Value none = Value::object({{"plural", ""}, {"kind", ""}});
  return Value::object({{"conditions", std::move(conditions)},
                        {"acceptedNames", accepted ? accepted_names(spec) : none},
                        {"storedVersions", stored_versions(definition)}});
}

bool is_established(const Value& definition) {
  for (const auto& condition : definition["status"]["conditions"].items()) {
    if (condition["type"].str() == "Established") return condition["status"].str() == "True";
  }
  return false;
}

void mark_terminating(Value& definition, WallTime now) {
  Value& finalizers = definition.edit("metadata").edit("finalizers");
  if (std::ranges::find(finalizers.items(), Value(kCustomCleanup)) == finalizers.items().end())
    finalizers.push_back(kCustomCleanup);
  put_condition(definition.edit("status").edit("conditions"),
                {"Terminating", "True", "InstanceDeletionPending",
                 "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"},
                now);
}

std::vector<std::string> definition_warnings(const Value& definition) {
  std::vector<std::string> out;
  const Value& spec = definition["spec"];
  for (const auto& version : spec["versions"].items()) {
    if (!holds_rules(version["schema"]["openAPIV3Schema"])) continue;
    out.push_back("version " + version["name"].str() +
                  ": x-kubernetes-validations are kept but not evaluated by this server");
  }
  if (spec["conversion"]["strategy"].str() == "Webhook")
    out.push_back("conversion webhooks are not called by this server: only apiVersion is changed");
  return out;
}

}  // namespace skiff::kube
