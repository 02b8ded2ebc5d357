#include "node/network/forwarding.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/process.h"

namespace skiff::node {

namespace {

using Command = std::vector<std::string>;

// "-A FORWARD …" as a command that does `action` instead of "-A".
Command edit(const char* action, const std::string& rule) {
  Command out = {"iptables", "-w"};
  const auto words = split(rule, ' ');
  out.insert(out.end(), words.begin(), words.end());
  out[2] = action;
  return out;
}

io::Task<bool> succeeds(io::Loop& loop, Command command) {
  auto output = co_await io::run_command(loop, std::move(command));
  co_return output && output->status.ok();
}

// The chain as iptables prints it; "" without iptables.
io::Task<std::string> list_chain(io::Loop& loop) {
  const Command list = {"iptables", "-w", "-S", "FORWARD"};
  auto output = co_await io::run_command(loop, list);
  co_return output && output->status.ok() ? output->out : std::string();
}

}  // namespace

bool drops_forwarded(const std::string& rules) {
  for (const auto& line : split(rules, '\n')) {
    if (line == "-P FORWARD DROP") return true;
  }
  return false;
}

std::vector<std::string> forwarding_rules(const std::string& bridge, const std::string& services) {
  const std::string to_pods = "-A FORWARD -o " + bridge + " -m conntrack ";
  return {"-A FORWARD -i " + bridge + " -j ACCEPT", to_pods + "--ctstate RELATED,ESTABLISHED -j ACCEPT",
          to_pods + "--ctstate DNAT ! --ctorigdst " + services + " -j ACCEPT"};
}

std::vector<std::string> rules_of_bridge(const std::string& rules, const std::string& bridge) {
  std::vector<std::string> out;
  for (const auto& line : split(rules, '\n')) {
    const auto words = split(line, ' ');
    if (words.front() == "-A" && std::find(words.begin(), words.end(), bridge) != words.end()) {
      out.push_back(line);
    }
  }
  return out;
}

io::Task<void> allow_forwarding(io::Loop& loop, std::string bridge, std::string services) {
  auto chain = co_await list_chain(loop);
  if (!drops_forwarded(chain)) co_return;
  const auto wanted = forwarding_rules(bridge, services);
  const auto former = rules_of_bridge(chain, bridge);
  for (const auto& rule : wanted) {
    auto added = co_await succeeds(loop, edit("-I", rule));
    if (!added) log_warn("the host's firewall drops the pods' traffic", {{"bridge", bridge}});
  }
  // Deletes one copy of each, so that an equal new rule stays; no packet meets a chain without them.
  for (const auto& rule : former) {
    auto removed = co_await succeeds(loop, edit("-D", rule));
    static_cast<void>(removed);
  }
}

io::Task<void> forget_forwarding(io::Loop& loop, std::string bridge) {
  auto chain = co_await list_chain(loop);
  for (const auto& rule : rules_of_bridge(chain, bridge)) {
    auto removed = co_await succeeds(loop, edit("-D", rule));
    static_cast<void>(removed);
  }
}

}  // namespace skiff::node
