#include "edge/cluster_follower.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace skiff::edge {
namespace {

constexpr std::array<const char*, ClusterFollower::kCollections> kPaths = {
    "/apis/networking.k8s.io/v1/ingresses", "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices",
    "/api/v1/pods", "/api/v1/namespaces"};

// Changes that come together make one table. A table takes about a microsecond an object: waiting for five
// times as long leaves the thread four fifths of its time when changes never stop.
constexpr auto kSettle = std::chrono::milliseconds(5);
constexpr auto kSettlePerObject = std::chrono::microseconds(5);

}  // namespace

ClusterFollower::ClusterFollower(io::Loop& loop, RouteOptions options, Publish publish,
                                 ExternalNames::Lookup lookup)
    : loop_(loop),
      options_(std::move(options)),
      publish_(std::move(publish)),
      followed_{{{&ClusterView::ingresses},
                 {&ClusterView::services},
                 {&ClusterView::slices},
                 {&ClusterView::pods},
                 {&ClusterView::namespaces}}},
      names_(loop, std::move(lookup), [this] { plan_table(); }),
      scope_(loop) {}

void ClusterFollower::start(kube::Client& client) {
  for (size_t i = 0; i < kCollections; ++i) {
    scope_.spawn(client.follow(kPaths[i], "", [this, i](const kube::ObjectChange& change) {
      on_change(static_cast<Collection>(i), change);
    }));
  }
}

void ClusterFollower::on_change(Collection collection, const kube::ObjectChange& change) {
  using Kind = kube::ObjectChange::Kind;
  Followed& followed = followed_[collection];
  Objects& current = view_.*followed.objects;
  Objects& objects = followed.replacing ? followed.incoming : current;
  const auto& meta = change.object["metadata"];
  const auto& ns = meta["namespace"].str();
  const std::string key = ns.empty() ? meta["name"].str() : ns + "/" + meta["name"].str();
  switch (change.kind) {
    case Kind::kReset:
      followed.incoming.clear();
      followed.replacing = true;
      return;
    case Kind::kUpsert:
      objects[key] = change.object;
      break;
    case Kind::kRemoved:
      objects.erase(key);
      break;
    case Kind::kSynced:
      if (followed.replacing) current = std::exchange(followed.incoming, {});
      followed.replacing = false;
      followed.known = true;
      break;
  }
  plan_table();
}

Duration ClusterFollower::settle_time() const {
  size_t count = 0;
  for (const Followed& followed : followed_) count += (view_.*followed.objects).size();
  return kSettle + kSettlePerObject * static_cast<int64_t>(count);
}

void ClusterFollower::plan_table() {
  const bool known = std::ranges::all_of(followed_, &Followed::known);
  if (planned_ != 0 || !known) return;
  planned_ = loop_.add_timer_after(settle_time(), [this] {
    planned_ = 0;
    make_table();
  });
}

void ClusterFollower::make_table() {
  view_.names = names_.addresses();
  RouteTable table = make_routes(view_, options_);
  names_.want(table.external_names);
  tell(table.refusals);
  publish_(std::move(table));
}

// Each once, and again after it was gone.
void ClusterFollower::tell(const std::vector<std::string>& refusals) {
  std::set<std::string> now(refusals.begin(), refusals.end());
  for (const auto& one : now) {
    if (!told_.contains(one)) log_warn("route not followed", {{"why", one}});
  }
  told_ = std::move(now);
}

}  // namespace skiff::edge
