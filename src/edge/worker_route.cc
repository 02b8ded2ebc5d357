// Which app and which pod serve a request, or what it waits for.
#include "edge/worker.h"

namespace skiff::edge {
namespace {

constexpr std::string_view kNoApp =
    "No app or Ingress has this host name. Check the address; if the app is yours, skiff apps lists what "
    "there is.";

}  // namespace

const App* Worker::find_app(Client& c) {
  // "OPTIONS *" asks about the host as a whole.
  const auto path =
      c.path == "*" ? std::string_view("/") : std::string_view(c.path).substr(0, c.path.find('?'));
  const App* app = routes_->find(host_key(c.host, host_buffer_), path);
  if (app == nullptr) return nullptr;
  c.log_namespace.assign(app->log_namespace);
  c.platform = app->platform;
  return app;
}

// Once more, with the present table.
void Worker::route(Client& c) {
  if (c.state == Client::State::kHeld) {
    leave_place(c);
    c.state = Client::State::kHead;
  }
  serve(c, find_app(c));
}

void Worker::serve(Client& c, const App* found) {
  if (found == nullptr) return serve_unknown(c);
  const App& app = *found;
  if (app.maintenance) return fail(c, Fault::kH80);
  if (app.blank) return fail(c, Fault::kH81);
  const Limits& limits = options_.limits;
  const Endpoint* endpoint = pick_endpoint(
      app, now_, random_, [this](const Endpoint& one) -> const PodLoad& { return target_of(one).load; });
  // A pod that just refused is asked once more by a new request, not by the one that it refused.
  const bool refused = endpoint != nullptr && target_of(*endpoint).load.quarantined_until > now_;
  if (endpoint != nullptr && (!refused || c.last_fault == Fault::kNone)) return attach(c, *endpoint);
  if (c.last_fault != Fault::kNone) {
    if (hold(c, c.connect_started + limits.refused_hold.count())) return;
    return fail(c, c.last_fault);
  }
  if (app.starting > 0) {
    if (hold(c, c.started + limits.hold.count())) return;
    return fail(c, Fault::kH11);
  }
  if (!app.refused.empty()) {
    c.cause = app.refused;
    fail(c, Fault::kH14);
    c.cause = {};
    return;
  }
  fail(c, app.crashed > 0 ? Fault::kH10 : Fault::kH14);
}

// Of a host that is not in the table nothing is known before the table is complete.
void Worker::serve_unknown(Client& c) {
  if (routes_->complete)
    return answer(c, plain_response(404, "There is no app at this address", kNoApp, c.to_head));
  if (!hold(c, c.started + options_.limits.boot.count())) answer(c, starting_response(c.to_head));
}

// Waits for another route table; false when there is no time or place to wait.
bool Worker::hold(Client& c, int64_t deadline) {
  // Who has ended its direction has most likely left, and a place is not kept for it.
  if (deadline <= now_ || held_ >= options_.limits.max_held || c.hung_up) return false;
  size_t& of_one = held_of_[c.log_namespace];
  if (of_one >= options_.limits.max_held_of_one && !c.log_namespace.empty()) return false;
  c.state = Client::State::kHeld;
  c.deadline = deadline;
  c.held_for = c.log_namespace;
  ++held_;
  ++of_one;
  return true;
}

void Worker::leave_place(Client& c) {
  --held_;
  const auto found = held_of_.find(c.held_for);
  if (--found->second == 0) held_of_.erase(found);
}

}  // namespace skiff::edge
