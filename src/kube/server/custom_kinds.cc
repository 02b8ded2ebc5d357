#include "kube/server/custom_kinds.h"

#include "base/log.h"
#include "base/strings.h"

namespace skiff::kube {

namespace {

std::vector<std::string> strings_of(const json::Value& list) {
  std::vector<std::string> out;
  for (const auto& item : list.items()) out.push_back(item.str());
  return out;
}

json::Value condition(const char* type, const char* reason, const char* message, WallTime now) {
  return json::Value::object({{"type", type},
                              {"status", "True"},
                              {"lastTransitionTime", format_rfc3339(now)},
                              {"reason", reason},
                              {"message", message}});
}

}  // namespace

std::vector<KindPtr> kinds_of(const json::Value& definition) {
  std::vector<KindPtr> out;
  const json::Value& spec = definition["spec"];
  for (const auto& version : spec["versions"].items()) {
    if (!version["served"].as_bool()) continue;
    auto kind = std::make_shared<Kind>();
    kind->group = spec["group"].str();
    kind->version = version["name"].str();
    kind->kind = spec["names"]["kind"].str();
    kind->plural = spec["names"]["plural"].str();
    kind->singular = spec["names"]["singular"].str_or(to_lower(kind->kind));
    kind->short_names = strings_of(spec["names"]["shortNames"]);
    kind->categories = strings_of(spec["names"]["categories"]);
    kind->verbs = {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
    kind->namespaced = spec["scope"].str() == "Namespaced";
    kind->has_status = version["subresources"].contains("status");
    kind->has_scale = version["subresources"].contains("scale");
    kind->custom = true;
    kind->custom_schema = version["schema"]["openAPIV3Schema"];
    kind->printer_columns = version["additionalPrinterColumns"];
    out.push_back(std::move(kind));
  }
  return out;
}

json::Value established_status(const json::Value& definition, WallTime now) {
  json::Value versions = json::Value::array();
  for (const auto& version : definition["spec"]["versions"].items()) {
    if (version["storage"].as_bool()) versions.push_back(version["name"]);
  }
  json::Value names = definition["spec"]["names"];
  if (names["singular"].str().empty()) names.set("singular", to_lower(names["kind"].str()));
  if (names["listKind"].str().empty()) names.set("listKind", names["kind"].str() + "List");
  return json::Value::object(
      {{"conditions",
        json::Value::array(
            {condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
             condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now)})},
       {"acceptedNames", std::move(names)},
       {"storedVersions", std::move(versions)}});
}

io::Task<void> CustomKinds::establish(Objects& objects, Target target) {
  const WallTime now = objects.loop().wall_now();
  const auto change = [now](const json::Value& current) -> Result<json::Value> {
    json::Value out = current;
    out.set("status", established_status(current, now));
    return out;
  };
  WriteOptions options;
  options.subresource = "status";
  auto written = co_await objects.modify(target, change, options);
  if (!written)
    log_warn("definition not established", {{"name", target.name}, {"error", written.error().message}});
}

void CustomKinds::put(const json::Value& definition) {
  const std::string name = definition["metadata"]["name"].str();
  objects_.registry().remove_custom(definition["spec"]["group"].str(),
                                    definition["spec"]["names"]["plural"].str());
  for (auto& kind : kinds_of(definition)) objects_.registry().add_custom(std::move(kind));
  known_[name] = definition;
  const KindPtr kind = objects_.kind("apiextensions.k8s.io", "customresourcedefinitions");
  if (kind && definition["status"]["conditions"].empty()) scope_.spawn(establish(objects_, {kind, "", name}));
}

void CustomKinds::load() {
  const std::string prefix = "/apiextensions.k8s.io/customresourcedefinitions/";
  auto page = objects_.store().list({prefix, "", 0, {}});
  if (!page) return;
  auto watch = objects_.store().watch(prefix, page->revision);
  changes_ = watch ? std::move(*watch) : nullptr;
  const auto before = std::exchange(known_, {});
  for (const auto& entry : page->entries) {
    auto definition = json::parse(*entry.value);
    if (!definition) continue;
    const auto known = before.find((*definition)["metadata"]["name"].str());
    if (known != before.end() && known->second == *definition) {
      known_.insert(*known);
    } else {
      put(*definition);
    }
  }
  for (const auto& [name, definition] : before) {
    if (known_.contains(name)) continue;
    objects_.registry().remove_custom(definition["spec"]["group"].str(),
                                      definition["spec"]["names"]["plural"].str());
  }
}

void CustomKinds::refresh() {
  bool changed = !changes_;
  while (changes_ && changes_->try_next()) changed = true;
  if (changed) load();
}

}  // namespace skiff::kube
