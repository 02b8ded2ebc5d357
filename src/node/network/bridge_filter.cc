#include "node/network/bridge_filter.h"

#include "base/log.h"

namespace skiff::node {

void BridgeFilter::open(const std::vector<PodPort>& ports) {
  const std::lock_guard lock(mutex_);
  for (const auto& port : ports) ports_[port.veth] = port;
  if (auto done = replace(); !done) {
    log_warn("the ports of pods are not filtered, or as before", {{"error", done.error().message}});
  }
}

Result<void> BridgeFilter::replace() {
  std::vector<PodPort> ports;
  for (const auto& [veth, port] : ports_) ports.push_back(port);
  auto done = firewall_->apply(make_port_filter(instance_, ports));
  made_ = done.has_value();
  return done;
}

Result<void> BridgeFilter::allow(const PodPort& port) {
  const std::lock_guard lock(mutex_);
  ports_[port.veth] = port;
  if (made_ && firewall_->apply(allow_port(instance_, port))) return {};
  // What failed once may succeed now; and a filter that somebody flushed away is made again.
  const bool was_made = made_;
  auto done = replace();
  if (done) return {};
  made_ = was_made;
  if (made_ || has_table(*firewall_, "bridge", port_filter_table(instance_))) {
    ports_.erase(port.veth);
    return wrap(done.error(), "let the pod's port through the filter of the bridge");
  }
  log_warn("the ports of pods are not filtered", {{"error", done.error().message}});
  return {};
}

void BridgeFilter::forget(const PodPort& port) {
  const std::lock_guard lock(mutex_);
  ports_.erase(port.veth);
  if (!made_) return;
  // It stands for an interface that is gone: with the next whole filter it goes.
  if (auto done = firewall_->apply(forget_port(instance_, port)); !done) {
    log_warn("port not forgotten", {{"veth", port.veth}, {"error", done.error().message}});
  }
}

}  // namespace skiff::node
