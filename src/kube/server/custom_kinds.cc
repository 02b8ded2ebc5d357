#include "kube/server/custom_kinds.h"

#include "base/log.h"
#include "base/strings.h"
#include "io/sync.h"
#include "kube/server/definition_status.h"

namespace skiff::kube {

namespace {

std::vector<std::string> strings_of(const json::Value& list) {
  std::vector<std::string> out;
  for (const auto& item : list.items()) out.push_back(item.str());
  return out;
}

// ".spec.color" is selected by as "spec.color".
std::vector<std::string> selectable_fields(const json::Value& version) {
  std::vector<std::string> out;
  for (const auto& field : version["selectableFields"].items()) {
    const std::string& path = field["jsonPath"].str();
    out.push_back(path.starts_with('.') ? path.substr(1) : path);
  }
  return out;
}

// How objects of the definition are kept, and the schema whose defaults they get when they are read, if any.
void describe_storage(const json::Value& definition, Kind& kind) {
  for (const auto& version : definition["spec"]["versions"].items()) {
    if (!version["storage"].as_bool()) continue;
    kind.storage_version = version["name"].str();
    const json::Value& schema = version["schema"]["openAPIV3Schema"];
    if (sets_defaults(schema)) kind.stored_defaults = schema;
  }
}

KindPtr make_kind(const json::Value& definition, const json::Value& version) {
  const json::Value& spec = definition["spec"];
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
  kind->scale_paths = version["subresources"]["scale"];
  kind->custom = true;
  kind->custom_schema = version["schema"]["openAPIV3Schema"];
  describe_storage(definition, *kind);
  kind->selectable_fields = selectable_fields(version);
  kind->printer_columns = version["additionalPrinterColumns"];
  kind->terminating = !definition["metadata"]["deletionTimestamp"].is_null();
  return kind;
}

constexpr Duration kCleanUpPause = std::chrono::milliseconds(500);  // between looks at objects that stay

}  // namespace

std::vector<KindPtr> kinds_of(const json::Value& definition) {
  std::vector<KindPtr> out;
  for (const auto& version : definition["spec"]["versions"].items()) {
    if (version["served"].as_bool()) out.push_back(make_kind(definition, version));
  }
  return out;
}

io::Task<void> CustomKinds::delete_objects(KindPtr kind) {
  auto page = objects_.store().list({collection_prefix({kind, "", ""}), "", 0, {}});
  if (!page) co_return;
  for (const auto& entry : page->entries) {
    auto object = json::parse(*entry.value);
    if (!object || !(*object)["metadata"]["deletionTimestamp"].is_null()) continue;
    const json::Value& metadata = (*object)["metadata"];
    Target target{kind, metadata["namespace"].str(), metadata["name"].str()};
    auto removed = co_await objects_.remove(std::move(target), {});
    if (!removed && removed.error().code != Code::kNotFound)
      log_warn("custom resource not deleted", {{"key", entry.key}, {"error", removed.error().message}});
  }
}

io::Task<void> CustomKinds::clean_up(json::Value definition) {
  const std::string name = definition["metadata"]["name"].str();
  const KindPtr kind = make_kind(definition, definition["spec"]["versions"].at(0));
  const Target self{objects_.kind("apiextensions.k8s.io", "customresourcedefinitions"), "", name};
  const auto release = [](const json::Value& current) -> Result<json::Value> {
    json::Value out = current;
    std::erase(out.edit("metadata").edit("finalizers").edit_items(), json::Value(kCustomCleanup));
    return out;
  };
  for (;;) {
    co_await delete_objects(kind);
    auto left = objects_.store().list({collection_prefix({kind, "", ""}), "", 1, {}});
    if (left && left->entries.empty()) {
      auto released = co_await objects_.modify(self, release, {});
      if (released || released.error().code == Code::kNotFound) break;
      log_warn("definition not released", {{"name", name}, {"error", released.error().message}});
    }
    co_await io::sleep(objects_.loop(), kCleanUpPause);
  }
  cleaning_.erase(name);
}

void CustomKinds::put(const json::Value& definition) {
  const std::string name = definition["metadata"]["name"].str();
  if (is_established(definition)) {
    objects_.registry().remove_custom(definition["spec"]["group"].str(),
                                      definition["spec"]["names"]["plural"].str());
    for (auto& kind : kinds_of(definition)) objects_.registry().add_custom(std::move(kind));
  }
  known_[name] = definition;
  const bool going = !definition["metadata"]["deletionTimestamp"].is_null();
  if (going && cleaning_.insert(name).second) scope_.spawn(clean_up(definition));
}

void CustomKinds::load() {
  const std::string prefix(kDefinitionPrefix);
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
