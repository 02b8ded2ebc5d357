#include "control/serviceaccount/controller.h"

#include "control/shared/applier.h"
#include "control/shared/reconciler.h"

namespace skiff::control {

namespace {

constexpr const char* kAccounts = "/api/v1/serviceaccounts";
constexpr const char* kNamespaces = "/api/v1/namespaces";
constexpr const char* kConfigMaps = "/api/v1/configmaps";
constexpr const char* kCaMap = "kube-root-ca.crt";

class ServiceAccountController final : public Controller {
 public:
  ServiceAccountController(Context context, std::string root_ca)
      : client_(context.client),
        caches_(context.caches),
        root_ca_(std::move(root_ca)),
        queue_(context.loop, "serviceaccount",
               [this](std::string key) { return sync(this, std::move(key)); }) {
    caches_.at(kNamespaces).on_change([this](const Value&, const Value& after) {
      if (!after.is_null()) queue_.add(name_of(after));
    });
    caches_.at(kAccounts).on_change([this](const Value& before, const Value& after) {
      if (after.is_null() && name_of(before) == "default") queue_.add(namespace_of(before));
    });
    caches_.at(kConfigMaps).on_change([this](const Value& before, const Value& after) {
      const auto& map = after.is_null() ? before : after;
      if (name_of(map) == kCaMap) queue_.add(namespace_of(map));
    });
  }
  void open() override { queue_.open(); }

 private:
  static io::Task<SyncResult> sync(ServiceAccountController* self, std::string ns);

  kube::Client& client_;
  Caches& caches_;
  std::string root_ca_;
  Reconciler queue_;
};

std::vector<Action> missing_things(const Value& account, const Value& map, const std::string& ns,
                                   const std::string& root_ca) {
  std::vector<Action> out;
  if (account.is_null()) {
    out.push_back(
        create(path_of("/api/v1", "serviceaccounts", ns),
               Value::object({{"apiVersion", "v1"},
                              {"kind", "ServiceAccount"},
                              {"metadata", Value::object({{"name", "default"}, {"namespace", ns}})}})));
  }
  if (root_ca.empty() || map["data"]["ca.crt"].str() == root_ca) return out;
  auto data = Value::object({{"ca.crt", root_ca}});
  if (!map.is_null()) {
    out.push_back(merge_patch(path_of("/api/v1", "configmaps", ns, kCaMap), Value::object({{"data", data}})));
  } else {
    out.push_back(create(path_of("/api/v1", "configmaps", ns),
                         Value::object({{"apiVersion", "v1"},
                                        {"kind", "ConfigMap"},
                                        {"metadata", Value::object({{"name", kCaMap}, {"namespace", ns}})},
                                        {"data", data}})));
  }
  return out;
}

io::Task<SyncResult> ServiceAccountController::sync(ServiceAccountController* self, std::string ns) {
  const Value space = self->caches_.at(kNamespaces).find("", ns);
  if (space.is_null() || is_deleting(space)) co_return std::optional<Duration>();
  const auto actions = missing_things(self->caches_.at(kAccounts).find(ns, "default"),
                                      self->caches_.at(kConfigMaps).find(ns, kCaMap), ns, self->root_ca_);
  for (const auto& action : actions) {
    Result<Value> result;
    if (action.verb == Action::Verb::kCreate) {
      result = co_await self->client_.create(action.path, action.body);
    } else {
      result = co_await self->client_.patch(action.path, action.patch, action.body);
    }
    if (!result && result.error().code != Code::kAlreadyExists) co_return std::unexpected(result.error());
  }
  co_return std::optional<Duration>();
}

}  // namespace

std::unique_ptr<Controller> make_service_account_controller(Context context, std::string root_ca) {
  return std::make_unique<ServiceAccountController>(context, std::move(root_ca));
}

}  // namespace skiff::control
