// Keeps the Node object and its Lease alive: the lease every 10 s, the status when it changes, when the API
// shows another readiness after a renewal of the lease, or every 5 minutes. A Node that was deleted comes
// back.
#pragma once

#include "io/loop.h"
#include "node/agent/node_status.h"
#include "node/api/cluster_api.h"

namespace skiff::node {

class Heartbeat {
 public:
  // The condition DiskPressure stays for `pressure_hold` after the disk has space again.
  Heartbeat(io::Loop& loop, ClusterApi& api, ImageService& images, NodeStatusInput input, std::string data,
            Duration pressure_hold)
      : loop_(loop),
        api_(api),
        images_(images),
        input_(std::move(input)),
        data_(std::move(data)),
        pressure_hold_(pressure_hold) {}
  // Registers the node, again and again until the API answers.
  io::Task<void> enroll();
  // For ever.
  io::Task<void> run_lease();
  io::Task<void> run_status();
  // Now, when there is something to tell.
  io::Task<Result<void>> write_status();

 private:
  io::Task<Result<void>> correct_status();
  io::Task<Result<void>> renew();
  io::Loop& loop_;
  ClusterApi& api_;
  ImageService& images_;
  NodeStatusInput input_;
  std::string data_;
  Duration pressure_hold_;
  MonotonicTime pressure_until_{};
  json::Value status_;  // last written, or what others made of it
  MonotonicTime written_{};
};

}  // namespace skiff::node
