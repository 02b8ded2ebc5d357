#include "node/network/forwarding.h"

#include "base/log.h"
#include "base/strings.h"
#include "io/process.h"

namespace skiff::node {

namespace {

using Command = std::vector<std::string>;

Command rule(const char* action, const char* direction, const std::string& bridge) {
  return {"iptables", "-w", action, "FORWARD", direction, bridge, "-j", "ACCEPT"};
}

io::Task<bool> succeeds(io::Loop& loop, Command command) {
  auto output = co_await io::run_command(loop, std::move(command));
  co_return output && output->status.ok();
}

}  // namespace

bool drops_forwarded(const std::string& rules) {
  for (const auto& line : split(rules, '\n')) {
    if (line == "-P FORWARD DROP") return true;
  }
  return false;
}

io::Task<void> allow_forwarding(io::Loop& loop, std::string bridge) {
  const Command list = {"iptables", "-w", "-S", "FORWARD"};
  auto rules = co_await io::run_command(loop, list);
  if (!rules || !rules->status.ok() || !drops_forwarded(rules->out)) co_return;
  for (const char* direction : {"-i", "-o"}) {
    auto there = co_await succeeds(loop, rule("-C", direction, bridge));
    if (there) continue;
    auto added = co_await succeeds(loop, rule("-I", direction, bridge));
    if (!added) log_warn("the host's firewall drops the pods' traffic", {{"bridge", bridge}});
  }
}

io::Task<void> forget_forwarding(io::Loop& loop, std::string bridge) {
  for (const char* direction : {"-i", "-o"}) {
    auto removed = co_await succeeds(loop, rule("-D", direction, bridge));
    static_cast<void>(removed);
  }
}

}  // namespace skiff::node
