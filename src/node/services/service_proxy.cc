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

ServiceProxy::ServiceProxy(io::Loop& loop, ClusterApi& api, RulesetInput facts,
                           std::shared_ptr<Firewall> firewall)
    : loop_(loop),
      api_(api),
      facts_(std::move(facts)),
      firewall_(std::move(firewall)),
      changed_(loop),
      scope_(loop) {}

io::Task<Result<void>> ServiceProxy::start() {
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
  const bool live = arriving == listing_.end();
  auto& target = live ? kind : arriving->second;
  switch (change.kind) {
    case ObjectChange::Kind::kReset:
      listing_[&kind].clear();
      return;
    case ObjectChange::Kind::kUpsert:
      if (live) index_change(kind, change.object, key_of(change.object));
      target[key_of(change.object)] = change.object;
      break;
    case ObjectChange::Kind::kRemoved:
      if (live) index_change(kind, {}, key_of(change.object));
      target.erase(key_of(change.object));
      break;
    case ObjectChange::Kind::kSynced:
      if (!live) kind = std::move(arriving->second);
      if (!live) index_list(kind);
      listing_.erase(&kind);
      break;
  }
  if (listing_.contains(&kind)) return;
  (&kind == &objects_.services ? services_known_ : slices_known_) = true;
  changed_.set();
}

// Before the change itself.
void ServiceProxy::index_change(const std::map<std::string, json::Value>& kind, const json::Value& after,
                                const std::string& key) {
  static const json::Value kNothing;
  const auto found = kind.find(key);
  const json::Value& before = found == kind.end() ? kNothing : found->second;
  if (&kind == &objects_.services) {
    objects_.index.change_service(key, before, after);
  } else {
    objects_.index.change_slice(key, before, after);
  }
}

void ServiceProxy::index_list(const std::map<std::string, json::Value>& kind) {
  if (&kind == &objects_.services) {
    objects_.index.reset_services(kind);
  } else {
    objects_.index.reset_slices(kind);
  }
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
  if (all_known()) {
    auto replaced = co_await replace_table();
    co_return replaced;
  }
  auto made = co_await make_missing_table();
  co_return made;
}

// In one step: a table that the first look missed is not replaced.
io::Task<Result<void>> ServiceProxy::make_missing_table() {
  if (has_table_) co_return Result<void>();
  auto done = co_await io::run_blocking(loop_,
                                        [firewall = firewall_, text = make_ruleset(facts_, TableStart::kNew),
                                         table = table_name(facts_.instance)]() -> Result<void> {
                                          if (has_table(*firewall, "ip", table)) return {};
                                          return firewall->apply(text);
                                        });
  has_table_ = done.has_value();
  co_return done;
}

// The text, too, is made in the pool: the cluster's Services may be many, and so may the ports of one.
io::Task<Result<void>> ServiceProxy::replace_table() {
  auto text = co_await io::run_blocking(loop_, [input = facts_, services = values(objects_.services),
                                                slices = values(objects_.slices)]() mutable {
    input.ports = make_service_ports(services, slices);
    return make_ruleset(input);
  });
  if (text == applied_) co_return Result<void>();
  auto done =
      co_await io::run_blocking(loop_, [firewall = firewall_, text] { return firewall->apply(text); });
  if (done) applied_ = std::move(text);
  co_return done;
}

}  // namespace skiff::node
