#include "base/log.h"
#include "io/pulse.h"
#include "io/sync.h"
#include "node/agent/agent.h"
#include "skiff/buildpacks.h"
#include "skiff/machine.h"
#include "skiff/node_options.h"
#include "skiff/role_support.h"
#include "skiff/roles.h"

namespace skiff {

Result<node::AgentOptions> agent_options(const Instance& instance) {
  node::AgentOptions options;
  options.data = instance.path("node");
  options.local_images = instance.path("images");
  options.layer_recipes = buildpacks_directory() + "/layers";
  options.machine_layers = machine_directory() + "/layers";
  options.machine_stacks = machine_directory() + "/stacks";
  options.node_name = instance.node_name;
  options.instance = instance.id;
  auto pods = node::parse_subnet(instance.pod_range);
  if (!pods) return std::unexpected(pods.error());
  auto services = node::parse_subnet(instance.service_range);
  if (!services) return std::unexpected(services.error());
  options.ranges = {*pods, *services};
  options.egress = instance.pod_egress;
  options.open_ports = {instance.ports.http, instance.ports.https, instance.ports.kube};
  options.log_address = io::Address::unix_socket(instance.node_log_socket());
  options.log_token = instance.log_token;
  return options;
}

namespace {

io::Task<void> start_agent(io::Loop& loop, kube::Client& api, node::Agent& agent) {
  co_await wait_for_api(loop, api);
  auto started = co_await agent.start();
  if (started) {
    io::say_ready();
    log_info("node agent ready");
  } else {
    log_error("node agent cannot start", {{"error", started.error().message}});
    loop.stop();
  }
}

}  // namespace

Result<void> run_node(const Instance& instance, io::InheritedSockets sockets) {
  auto context = begin_role("node", std::move(sockets), node::kAgentThreads);
  if (!context) return std::unexpected(context.error());
  auto client = api_options(instance, "node");
  if (!client) return std::unexpected(client.error());
  auto options = agent_options(instance);
  if (!options) return std::unexpected(options.error());
  kube::HttpClient api(*context->loop, *context->network, {*client, "", "skiff-node"});
  node::Agent agent(*context->loop, *context->network, api, *options);
  io::TaskScope scope(*context->loop);
  scope.spawn(start_agent(*context->loop, api, agent));
  context->loop->run();
  return {};
}

}  // namespace skiff
