// Keeps the objects that routes are made from, and makes a new route table after a change. On one loop.
//
// A collection whose watch was lost is replaced as a whole when its new list is complete, so that a broken
// connection never empties the table; until all collections are known once, there is none.
#pragma once

#include <array>
#include <functional>
#include <set>

#include "edge/external_names.h"
#include "edge/routes.h"
#include "io/loop.h"
#include "io/scope.h"
#include "kube/client/client.h"

namespace skiff::edge {

class ClusterFollower {
 public:
  using Publish = std::function<void(RouteTable)>;
  ClusterFollower(io::Loop& loop, RouteOptions options, Publish publish,
                  ExternalNames::Lookup lookup = &look_up);
  ~ClusterFollower() { loop_.cancel_timer(planned_); }
  ClusterFollower(const ClusterFollower&) = delete;
  // Follows all collections until the follower is dropped. The client outlives it.
  void start(kube::Client& client);

  enum Collection : size_t { kIngresses, kServices, kSlices, kPods, kNamespaces, kCollections };
  void on_change(Collection collection, const kube::ObjectChange& change);

 private:
  struct Followed {
    Objects ClusterView::* objects;
    bool known = false;     // was complete once
    bool replacing = true;  // `incoming` grows to be the new collection
    Objects incoming = {};
  };
  void plan_table();
  void tell(const std::vector<std::string>& refusals);
  void make_table();
  Duration settle_time() const;

  io::Loop& loop_;
  RouteOptions options_;
  Publish publish_;
  ClusterView view_;
  std::array<Followed, kCollections> followed_;
  io::TimerId planned_ = 0;
  std::set<std::string> told_;  // refusals that are in the log
  ExternalNames names_;
  io::TaskScope scope_;
};

}  // namespace skiff::edge
