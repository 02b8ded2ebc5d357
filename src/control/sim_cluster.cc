#include "control/sim_cluster.h"

#include "base/check.h"
#include "control/deployment/status.h"
#include "io/sync.h"

namespace skiff::control {

namespace {

using namespace std::chrono_literals;
constexpr Duration kPatience = 60s;  // of virtual time, for the start

Value make_deployment(const std::string& name, int64_t count) {
  const auto labels = Value::object({{"app", name}});
  const auto requests = Value::object({{"cpu", "100m"}, {"memory", "64Mi"}});
  const auto container =
      Value::object({{"name", "app"},
                     {"image", name + ":1"},
                     {"ports", Value::array({Value::object({{"containerPort", 8080}})})},
                     {"env", Value::array({Value::object({{"name", "PORT"}, {"value", "8080"}})})},
                     {"resources", Value::object({{"requests", requests}})}});
  const auto pod_template =
      Value::object({{"metadata", Value::object({{"labels", labels}})},
                     {"spec", Value::object({{"containers", Value::array({container})}})}});
  return Value::object({{"apiVersion", "apps/v1"},
                        {"kind", "Deployment"},
                        {"metadata", Value::object({{"name", name}})},
                        {"spec", Value::object({{"replicas", count},
                                                {"selector", Value::object({{"matchLabels", labels}})},
                                                {"template", pod_template}})}});
}

Value make_service(const std::string& name) {
  const auto port = Value::object({{"port", 80}, {"targetPort", 8080}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Service"},
                        {"metadata", Value::object({{"name", name}})},
                        {"spec", Value::object({{"selector", Value::object({{"app", name}})},
                                                {"ports", Value::array({port})}})}});
}

Value make_namespace(const std::string& name) {
  return Value::object(
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", Value::object({{"name", name}})}});
}

io::Task<Result<void>> create_all(kube::Client* client, std::string ns, std::string name, int64_t count) {
  auto space = co_await client->create("/api/v1/namespaces", make_namespace(ns));
  if (!space && space.error().code != Code::kAlreadyExists) co_return std::unexpected(space.error());
  auto service = co_await client->create(path_of("/api/v1", "services", ns), make_service(name));
  if (!service) co_return std::unexpected(service.error());
  auto made =
      co_await client->create(path_of("/apis/apps/v1", "deployments", ns), make_deployment(name, count));
  if (!made) co_return std::unexpected(made.error());
  co_return Result<void>();
}

}  // namespace

SimCluster::SimCluster(SimClusterOptions options)
    : loop_(options.seed),
      store_(store::make_memory_store(loop_)),
      api_(loop_, *store_, registry_, {}),
      client_(api_.local_client(kube::master_user("simulation"))),
      deployments_(loop_, *client_, "/apis/apps/v1/deployments"),
      fleet_(loop_, *client_, options.fleet),
      controllers_(loop_, *client_) {
  auto booted = io::block_on(loop_, api_.bootstrap());
  SKIFF_CHECK(booted.has_value());
}

SimCluster::~SimCluster() = default;

bool SimCluster::start() {
  deployments_.start();
  fleet_.start();
  controllers_.start();
  const auto ready = [this] { return fleet_.registered() && controllers_.running(); };
  return loop_.run_until(ready, kPatience);
}

Result<void> SimCluster::deploy(const std::string& ns, const std::string& name, int64_t count) {
  return io::block_on(loop_, create_all(client_.get(), ns, name, count));
}

Result<void> SimCluster::set_image(const std::string& ns, const std::string& name, const std::string& image) {
  const auto container = Value::object({{"name", "app"}, {"image", image}});
  const auto spec = Value::object({{"containers", Value::array({container})}});
  const auto patch =
      Value::object({{"spec", Value::object({{"template", Value::object({{"spec", spec}})}})}});
  auto done = io::block_on(loop_, client_->patch(path_of("/apis/apps/v1", "deployments", ns, name),
                                                 kube::PatchType::kStrategicMerge, patch));
  if (!done) return std::unexpected(done.error());
  return {};
}

bool SimCluster::rolled_out() const {
  for (const auto& [key, deployment] : deployments_.objects()) {
    if (!is_complete(deployment, deployment["status"])) return false;
  }
  return true;
}

}  // namespace skiff::control
