#include "platform/apps/apps.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "base/time.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"
#include "platform/apps/procfile.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr size_t kMaxConfigBytes = 64 << 10;  // all config vars of an app together
constexpr int kMaxQuantity = 100;             // of one process type
constexpr int kReleaseAttempts = 5;           // another writer's release of that number: take the next
constexpr Duration kReleasePause = std::chrono::milliseconds(5);

// Holds the app's place among those that are making a release.
class Releasing {
 public:
  Releasing(std::set<std::string>& apps, std::string app) : apps_(apps), app_(std::move(app)) {
    apps_.insert(app_);
  }
  ~Releasing() { apps_.erase(app_); }
  Releasing(const Releasing&) = delete;

 private:
  std::set<std::string>& apps_;
  std::string app_;
};

std::string in_namespace(const std::string& app, std::string_view collection) {
  return fmt::format("/api/v1/namespaces/{}/{}", app, collection);
}
std::string deployments(const std::string& app) {
  return fmt::format("/apis/apps/v1/namespaces/{}/deployments", app);
}
std::string label_query(const std::string& label) {
  return "labelSelector=" + url_encode(label);
}

Release parse_release(const Value& config_map) {
  Release release;
  release.version = static_cast<int>(parse_int(config_map["data"]["version"].str()).value_or(0));
  release.description = config_map["data"]["description"].str();
  release.image = config_map["data"]["image"].str();
  release.commit = config_map["data"]["commit"].str();
  release.created_at = config_map["metadata"]["creationTimestamp"].str();
  const auto types = json::parse(config_map["data"]["processTypes"].str());
  if (types) {
    for (const auto& [type, command] : types->members()) release.types[type] = command.str();
  }
  return release;
}

Value release_manifest(const std::string& app, const Release& release) {
  Value types = Value::object();
  for (const auto& [type, command] : release.types) types.set(type, command);
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "ConfigMap"},
       {"immutable", true},
       {"metadata",
        Value::object({{"name", fmt::format("release-v{}", release.version)},
                       {"namespace", app},
                       {"labels", Value::object({{kAppLabel, app},
                                                 {kReleaseLabel, std::to_string(release.version)}})}})},
       {"data", Value::object({{"version", std::to_string(release.version)},
                               {"description", release.description},
                               {"image", release.image},
                               {"commit", release.commit},
                               {"processTypes", json::encode(types)}})}});
}

}  // namespace

io::Task<Result<std::vector<std::string>>> Apps::list() {
  auto found = co_await api_.list("/api/v1/namespaces", label_query(kAppLabel));
  SKIFF_CO_RETURN_IF_ERROR(found);
  std::vector<std::string> names;
  for (const auto& item : (*found)["items"].items()) names.push_back(item["metadata"]["name"].str());
  co_return names;
}

io::Task<Result<Value>> Apps::get(std::string app) {
  auto valid = check_app_name(app);
  if (!valid) co_return fail(Code::kNotFound, "Couldn't find that app.");
  auto found = co_await api_.get("/api/v1/namespaces/" + app);
  if (!found && found.error().code == Code::kNotFound)
    co_return fail(Code::kNotFound, "Couldn't find that app.");
  SKIFF_CO_RETURN_IF_ERROR(found);
  if (!(*found)["metadata"]["labels"].contains(kAppLabel))
    co_return fail(Code::kNotFound, "Couldn't find that app.");
  co_return found;
}

io::Task<Result<void>> Apps::create(std::string app) {
  auto valid = check_app_name(app);
  SKIFF_CO_RETURN_IF_ERROR(valid);
  auto manifest = namespace_manifest(app);
  auto created = co_await api_.create("/api/v1/namespaces", std::move(manifest));
  if (!created && created.error().code == Code::kAlreadyExists) {
    co_return fail(Code::kAlreadyExists, fmt::format("Name {} is already taken", app));
  }
  SKIFF_CO_RETURN_IF_ERROR(created);
  Release initial;
  initial.description = "Initial release";
  auto released = co_await make_release(app, std::move(initial), Value::object());
  SKIFF_CO_RETURN_IF_ERROR(released);
  auto ingress = ingress_manifest(app, domain_);
  auto routed = co_await apply(fmt::format("/apis/networking.k8s.io/v1/namespaces/{}/ingresses", app), "web",
                               std::move(ingress));
  SKIFF_CO_RETURN_IF_ERROR(routed);
  auto service = service_manifest(app);
  auto served = co_await apply(in_namespace(app, "services"), "web", std::move(service));
  co_return served;
}

io::Task<Result<void>> Apps::destroy(std::string app) {
  auto found = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(found);
  auto removed = co_await api_.remove("/api/v1/namespaces/" + app, nullptr);
  co_return removed;
}

io::Task<Result<std::vector<Release>>> Apps::releases(std::string app) {
  auto found = co_await api_.list(in_namespace(app, "configmaps"), label_query(kReleaseLabel));
  SKIFF_CO_RETURN_IF_ERROR(found);
  std::vector<Release> releases;
  for (const auto& item : (*found)["items"].items()) releases.push_back(parse_release(item));
  std::sort(releases.begin(), releases.end(),
            [](const auto& a, const auto& b) { return a.version < b.version; });
  co_return releases;
}

io::Task<Result<Value>> Apps::config_of(std::string app, int version) {
  auto secret = co_await api_.get(in_namespace(app, fmt::format("secrets/config-v{}", version)));
  SKIFF_CO_RETURN_IF_ERROR(secret);
  Value vars = Value::object();
  for (const auto& [name, encoded] : (*secret)["data"].members()) {
    vars.set(name, base64_decode(encoded.str()).value_or(""));
  }
  co_return vars;
}

io::Task<Result<Value>> Apps::config(std::string app) {
  auto all = co_await releases(app);
  SKIFF_CO_RETURN_IF_ERROR(all);
  if (all->empty()) co_return Value::object();
  auto vars = co_await config_of(app, all->back().version);
  co_return vars;
}

io::Task<Result<void>> Apps::apply(std::string collection, std::string name, Value object) {
  auto created = co_await api_.create(collection, object);
  if (created) co_return Result<void>{};
  if (created.error().code != Code::kAlreadyExists) co_return std::unexpected(created.error());
  auto patched = co_await api_.patch(collection + "/" + name, kube::PatchType::kMerge, std::move(object));
  SKIFF_CO_RETURN_IF_ERROR(patched);
  co_return Result<void>{};
}

io::Task<Result<Release>> Apps::make_release(std::string app, Release release, Value vars) {
  size_t bytes = 0;
  for (const auto& [name, value] : vars.members()) bytes += name.size() + value.str().size();
  if (bytes > kMaxConfigBytes)
    co_return fail(Code::kInvalidArgument, "Config vars are larger than 64 KB together");
  // One release of an app at a time: its number and its secret belong together.
  while (releasing_.contains(app)) co_await io::sleep(loop_, kReleasePause);
  const Releasing guard(releasing_, app);
  for (int attempt = 0; attempt < kReleaseAttempts; ++attempt) {
    auto all = co_await releases(app);
    SKIFF_CO_RETURN_IF_ERROR(all);
    release.version = all->empty() ? 1 : all->back().version + 1;
    // The secret first: a release never refers to config that is not there.
    auto secret = config_secret_manifest(app, release.version, vars);
    auto stored = co_await api_.create(in_namespace(app, "secrets"), std::move(secret));
    if (!stored && stored.error().code == Code::kAlreadyExists) {
      // Left by a platform that died between the secret and the release.
      auto removed = co_await api_.remove(
          in_namespace(app, fmt::format("secrets/config-v{}", release.version)), nullptr);
      continue;
    }
    SKIFF_CO_RETURN_IF_ERROR(stored);
    auto manifest = release_manifest(app, release);
    auto created = co_await api_.create(in_namespace(app, "configmaps"), std::move(manifest));
    if (!created && created.error().code == Code::kAlreadyExists) continue;
    SKIFF_CO_RETURN_IF_ERROR(created);
    release.created_at = (*created)["metadata"]["creationTimestamp"].str();
    auto rolled = co_await roll_out(app, release);
    SKIFF_CO_RETURN_IF_ERROR(rolled);
    co_return release;
  }
  co_return fail(Code::kConflict, "several releases of this app were made at once; try again");
}

io::Task<Result<void>> Apps::roll_out(std::string app, Release release) {
  if (release.image.empty()) co_return Result<void>{};
  auto processes = co_await formation(app);
  SKIFF_CO_RETURN_IF_ERROR(processes);
  const ReleaseFacts facts{app, release.version, release.image, fmt::format("config-v{}", release.version)};
  for (const auto& [type, command] : release.types) {
    int quantity = type == "web" ? 1 : 0;
    for (const auto& process : *processes) {
      if (process.type == type) quantity = process.quantity;
    }
    auto manifest = deployment_manifest(facts, type, command, quantity);
    auto applied = co_await apply(deployments(app), type, std::move(manifest));
    SKIFF_CO_RETURN_IF_ERROR(applied);
  }
  for (const auto& process : *processes) {
    if (release.types.contains(process.type)) continue;
    auto removed = co_await api_.remove(deployments(app) + "/" + process.type, nullptr);
    if (!removed && removed.error().code != Code::kNotFound) co_return removed;
  }
  co_return Result<void>{};
}

io::Task<Result<Release>> Apps::change_config(std::string app, Value changes) {
  std::vector<std::string> set, removed;
  auto all = co_await releases(app);
  SKIFF_CO_RETURN_IF_ERROR(all);
  auto vars = co_await config(app);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  for (const auto& [name, value] : changes.members()) {
    auto valid = check_config_name(name);
    SKIFF_CO_RETURN_IF_ERROR(valid);
    if (value.is_null()) {
      vars->erase(name);
      removed.push_back(name);
    } else if (value.is_string()) {
      vars->set(name, value);
      set.push_back(name);
    } else {
      co_return fail(Code::kInvalidArgument, fmt::format("config var {} must be a string or null", name));
    }
  }
  if (set.empty() && removed.empty()) co_return fail(Code::kInvalidArgument, "no config var was named");
  Release release = all->empty() ? Release{} : all->back();
  release.description = set.empty() ? fmt::format("Remove {} config vars", join(removed, ", "))
                                    : fmt::format("Set {} config vars", join(set, ", "));
  auto made = co_await make_release(std::move(app), std::move(release), std::move(*vars));
  co_return made;
}

io::Task<Result<Release>> Apps::release_slug(std::string app, Slug slug) {
  auto vars = co_await config(app);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  Release release;
  release.description = "Deploy " + slug.commit.substr(0, 8);
  release.image = slug.image;
  release.commit = slug.commit;
  release.types = std::move(slug.types);
  auto made = co_await make_release(std::move(app), std::move(release), std::move(*vars));
  co_return made;
}

io::Task<Result<Release>> Apps::roll_back(std::string app, int version) {
  auto all = co_await releases(app);
  SKIFF_CO_RETURN_IF_ERROR(all);
  const auto found =
      std::find_if(all->begin(), all->end(), [&](const auto& r) { return r.version == version; });
  if (found == all->end())
    co_return fail(Code::kNotFound, fmt::format("there is no release v{} of {}", version, app));
  if (found->image.empty()) {
    co_return fail(Code::kInvalidArgument,
                   fmt::format("release v{} has no build; roll back to a later one", version));
  }
  Release release = *found;
  release.description = fmt::format("Rollback to v{}", version);
  auto vars = co_await config_of(app, version);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  auto made = co_await make_release(std::move(app), std::move(release), std::move(*vars));
  co_return made;
}

io::Task<Result<std::vector<Apps::Process>>> Apps::formation(std::string app) {
  auto found = co_await api_.list(deployments(app), label_query(kProcessLabel));
  SKIFF_CO_RETURN_IF_ERROR(found);
  std::vector<Process> processes;
  for (const auto& item : (*found)["items"].items()) {
    const auto& command = item["spec"]["template"]["spec"]["containers"].at(0)["command"];
    processes.push_back({item["metadata"]["name"].str(), command.at(4).str(),
                         static_cast<int>(item["spec"]["replicas"].as_int(1))});
  }
  co_return processes;
}

io::Task<Result<void>> Apps::scale(std::string app, std::string type, int quantity) {
  if (quantity < 0 || quantity > kMaxQuantity) {
    co_return fail(Code::kInvalidArgument, fmt::format("a process type has 0 to {} dynos", kMaxQuantity));
  }
  Value patch = Value::object({{"spec", Value::object({{"replicas", quantity}})}});
  auto patched =
      co_await api_.patch(deployments(app) + "/" + type, kube::PatchType::kMerge, std::move(patch));
  if (!patched && patched.error().code == Code::kNotFound) {
    co_return fail(Code::kNotFound,
                   fmt::format("Couldn't find that process type ({}); push a build whose Procfile "
                               "names it",
                               type));
  }
  SKIFF_CO_RETURN_IF_ERROR(patched);
  co_return Result<void>{};
}

io::Task<Result<std::vector<Value>>> Apps::pods(std::string app) {
  auto found = co_await api_.list(in_namespace(app, "pods"), label_query(kProcessLabel));
  SKIFF_CO_RETURN_IF_ERROR(found);
  std::vector<Value> pods = (*found)["items"].items();
  std::sort(pods.begin(), pods.end(), [](const Value& a, const Value& b) {
    const auto key = [](const Value& pod) {
      return std::pair(pod["metadata"]["creationTimestamp"].str(), pod["metadata"]["name"].str());
    };
    return key(a) < key(b);
  });
  co_return pods;
}

}  // namespace skiff::platform
