#include "node/services/service_proxy.h"

#include "base/log.h"

namespace skiff::node {

namespace {
constexpr Duration kRetry = std::chrono::seconds(1);

std::string key_of(const json::Value& object) {
  return object["metadata"]["namespace"].str() + "/" + object["metadata"]["name"].str();
}

std::vector<json::Value> values(const std::map<std::string, json::Value>& objects) {
  std::vector<json::Value> out;
  for (const auto& [key, value] : objects) out.push_back(value);
  return out;
}
}  // namespace

ServiceProxy::ServiceProxy(io::Loop& loop, ClusterApi& api, RulesetInput facts)
    : loop_(loop), api_(api), facts_(std::move(facts)), changed_(loop), scope_(loop) {}

io::Task<Result<void>> ServiceProxy::start() {
  // The rules of an agent before us stay until the cluster's services are known.
  scope_.spawn(run());
  scope_.spawn(api_.follow("/api/v1/services", "",
                           [this](const ObjectChange& change) { on_change(objects_.services, change); }));
  scope_.spawn(api_.follow("/apis/discovery.k8s.io/v1/endpointslices", "",
                           [this](const ObjectChange& change) { on_change(objects_.slices, change); }));
  co_return Result<void>();
}

// A list replaces what was known only when it is whole: rules must not vanish while it arrives.
void ServiceProxy::on_change(std::map<std::string, json::Value>& kind, const ObjectChange& change) {
  const auto arriving = listing_.find(&kind);
  auto& target = arriving == listing_.end() ? kind : arriving->second;
  switch (change.kind) {
    case ObjectChange::Kind::kReset:
      listing_[&kind].clear();
      return;
    case ObjectChange::Kind::kUpsert:
      target[key_of(change.object)] = change.object;
      break;
    case ObjectChange::Kind::kRemoved:
      target.erase(key_of(change.object));
      break;
    case ObjectChange::Kind::kSynced:
      if (arriving != listing_.end()) kind = std::move(arriving->second);
      listing_.erase(&kind);
      break;
  }
  if (listing_.contains(&kind)) return;
  changed_.set();
  if (&kind == &objects_.services) services_known_ = true;
}

io::Task<void> ServiceProxy::run() {
  for (;;) {
    changed_.reset();
    auto applied = co_await apply();
    if (!applied) {
      log_error("services not applied", {{"error", applied.error().message}});
      co_await io::sleep(loop_, kRetry);
      continue;
    }
    co_await changed_.wait();
  }
}

io::Task<Result<void>> ServiceProxy::apply() {
  RulesetInput input = facts_;
  input.ports = make_service_ports(values(objects_.services), values(objects_.slices));
  const std::string text = make_ruleset(input);
  if (text == applied_) co_return Result<void>();
  auto done =
      co_await io::run_blocking(loop_, [firewall = firewall_, text] { return firewall->apply(text); });
  if (done) applied_ = text;
  co_return done;
}

}  // namespace skiff::node
