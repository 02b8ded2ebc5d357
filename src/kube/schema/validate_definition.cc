// CustomResourceDefinitions: names, versions, and what their schemas say.
#include <algorithm>

#include <fmt/format.h>

#include "kube/schema/field_path.h"
#include "kube/schema/pattern.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

void check_schema(const Value& schema, const FieldPath& path, Findings& findings);

void check_schemas_of(const Value& holder, std::string_view name, const FieldPath& path, Findings& findings) {
  const FieldPath at(path, name);
  const Value& held = holder[name];
  for (const auto& [key, schema] : held.members()) check_schema(schema, FieldPath::key(at, key), findings);
  for (size_t i = 0; i < held.size() && held.is_array(); ++i)
    check_schema(held.at(i), FieldPath(at, i), findings);
}

void check_schema(const Value& schema, const FieldPath& path, Findings& findings) {
  if (!schema.is_object() || findings.full()) return;
  if (const auto& pattern = schema["pattern"].str(); !pattern.empty()) {
    if (const auto compiled = Pattern::compile(pattern); !compiled) {
      findings.invalid(FieldPath(path, "pattern").text(), schema["pattern"],
                       "must be a valid regular expression, but isn't: " + compiled.error().message);
    }
  }
  for (const auto name : {"properties", "patternProperties", "definitions", "allOf", "anyOf", "oneOf"})
    check_schemas_of(schema, name, path, findings);
  for (const std::string_view name : {"items", "additionalProperties", "additionalItems", "not"})
    check_schema(schema[name], FieldPath(path, name), findings);
}

// Upstream moves what all versions have in common to the top before it looks.
bool have_one(const Value& versions, std::string_view name) {
  return std::ranges::all_of(versions.items(),
                             [&](const Value& one) { return one[name] == versions.at(0)[name]; });
}

void check_versions(const Value& versions, const Value& before, Findings& findings) {
  const FieldPath root, spec(root, "spec"), list(spec, "versions"), top(spec, "validation");
  for (size_t i = 0; i < versions.size(); ++i) {
    const Value& version = versions.at(i);
    // What was stored with other rules stays writable.
    if (before.at(i)["schema"] == version["schema"]) continue;
    const bool shared = have_one(versions, "schema");
    const FieldPath at(list, i), own(at, "schema");
    check_schema(version["schema"]["openAPIV3Schema"], FieldPath(shared ? top : own, "openAPIV3Schema"),
                 findings);
    if (shared) return;
  }
}

void check_selectable_fields(const Value& versions, const Value& before, Findings& findings) {
  const bool shared = have_one(versions, "selectableFields");
  for (size_t i = 0; i < versions.size(); ++i) {
    const Value& version = versions.at(i);
    const Value& old = before.at(i);
    if (old["schema"] == version["schema"] && old["selectableFields"] == version["selectableFields"])
      continue;
    validate_selectable_fields(
        version["selectableFields"], version["schema"]["openAPIV3Schema"],
        shared ? "spec.selectableFields" : fmt::format("spec.versions[{}].selectableFields", i), findings);
    if (shared && have_one(versions, "schema")) return;
  }
}

// Objects that were kept under a version may still be: it goes when someone says that none is.
void check_stored_versions(const Value& definition, Findings& findings) {
  const auto& versions = definition["spec"]["versions"].items();
  const auto& stored = definition["status"]["storedVersions"];
  for (size_t i = 0; i < stored.size(); ++i) {
    const Value& name = stored.at(i);
    if (std::ranges::any_of(versions, [&](const Value& version) { return version["name"] == name; }))
      continue;
    findings.invalid(
        fmt::format("status.storedVersions[{}]", i), name,
        fmt::format("missing from spec.versions; {0} was previously a storage version, and must remain in "
                    "spec.versions until a storage migration ensures no data remains persisted in {0} and "
                    "removes {0} from status.storedVersions",
                    name.str()));
  }
}

}  // namespace

void validate_definition(const Value& definition, const Value* old, Findings& findings) {
  const auto& spec = definition["spec"];
  auto expected = spec["names"]["plural"].str() + "." + spec["group"].str();
  if (definition["metadata"]["name"].str() != expected) {
    findings.invalid("metadata.name", definition["metadata"]["name"],
                     "must be spec.names.plural+\".\"+spec.group");
  }
  for (auto name : {"group", "scope"}) {
    if (spec[name].empty()) findings.required(fmt::format("spec.{}", name));
  }
  for (auto name : {"plural", "kind"}) {
    if (spec["names"][name].empty()) findings.required(fmt::format("spec.names.{}", name));
  }
  validate_definition_names(definition, old, findings);
  if (spec["versions"].empty()) findings.required("spec.versions", "must have at least one version");
  int stored = 0;
  for (size_t i = 0; i < spec["versions"].size(); ++i) {
    const auto& version = spec["versions"].at(i);
    if (version["storage"].as_bool()) ++stored;
    if (version["schema"]["openAPIV3Schema"].is_null()) {
      findings.required(fmt::format("spec.versions[{}].schema.openAPIV3Schema", i), "schemas are required");
    }
  }
  if (stored != 1 && !spec["versions"].empty()) {
    findings.invalid("spec.versions", spec["versions"],
                     "must have exactly one version marked as storage version");
  }
  check_versions(spec["versions"], old ? (*old)["spec"]["versions"] : Value(), findings);
  check_selectable_fields(spec["versions"], old ? (*old)["spec"]["versions"] : Value(), findings);
  if (old == nullptr) return;
  for (auto name : {"group", "scope"}) {
    if ((*old)["spec"][name] == spec[name]) continue;
    findings.invalid(fmt::format("spec.{}", name), spec[name], "field is immutable");
  }
  if (!((*old)["spec"] == spec)) check_stored_versions(definition, findings);
}

}  // namespace skiff::kube
