#include "node/agent/agent.h"

#include "base/log.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/agent/heartbeat.h"
#include "node/agent/pod_manager.h"
#include "node/events/recorder.h"
#include "node/images/puller.h"
#include "node/pod/linux_pod_host.h"
#include "node/pod/net_prober.h"
#include "node/runtime/conmon_runtime.h"

namespace skiff::node {

namespace {

constexpr Ipv4 kGatewayHost = 1, kDnsHost = 10;

AgentOptions completed(AgentOptions options) {
  if (options.local_images.empty()) options.local_images = options.data + "/../images";
  if (options.host_ip.empty()) options.host_ip = format_ipv4(options.ranges.pods.base + kGatewayHost);
  return options;
}

NodePaths paths_of(const AgentOptions& options) {
  return {options.data};
}

ConmonOptions conmon_options(const AgentOptions& options, const CgroupHost& cgroups) {
  return {paths_of(options), options.conmon, options.runtime, cgroups};
}

PullerOptions puller_options(const AgentOptions& options) {
  PullerOptions out;
  out.paths = paths_of(options);
  out.local_images = options.local_images;
  return out;
}

LinuxHostOptions host_options(const AgentOptions& options, const CgroupHost& cgroups) {
  const MachineFacts machine = read_machine(options.data);
  LinuxHostOptions out;
  out.paths = paths_of(options);
  out.instance = options.instance;
  out.node_name = options.node_name;
  out.host_ip = options.host_ip;
  out.cluster_domain = options.cluster_domain;
  out.cluster_dns = format_ipv4(options.ranges.services.base + kDnsHost);
  out.ranges = options.ranges;
  out.cgroups = cgroups;
  out.cpu_milli = machine.cpu_milli;
  out.memory_bytes = machine.memory_bytes;
  out.least_oom_score = least_oom_score(io::read_file("/proc/self/status").value_or(""),
                                        io::read_file("/proc/self/oom_score_adj").value_or(""));
  return out;
}

NodeStatusInput status_input(const AgentOptions& options) {
  NodeStatusInput out;
  out.name = options.node_name;
  out.address = options.host_ip;
  out.pods = options.ranges.pods;
  out.agent_port = options.log_address.port;
  out.runtime_version = "skiff://" + options.runtime.substr(options.runtime.rfind('/') + 1);
  return out;
}

}  // namespace

struct Agent::Impl {
  Impl(io::Loop& l, io::Network& n, ClusterApi& a, AgentOptions o)
      : loop(l),
        network(n),
        api(a),
        options(completed(std::move(o))),
        cgroups(read_cgroup_host(io::read_file("/proc/self/mounts").value_or(""))),
        runtime(l, conmon_options(options, cgroups)),
        images(l, puller_options(options)),
        host(l, a, images, host_options(options, cgroups)),
        prober(l, n, runtime),
        events(l, a, options.node_name),
        pods(WorkerServices{l, a, runtime, images, host, prober, events, options.host_ip}),
        heartbeat(l, a, images, status_input(options), options.data),
        scope(l) {}
  ~Impl() {
    scope.cancel();
    pods.stop();
  }

  io::Task<Result<void>> start();
  io::Task<void> serve();

  io::Loop& loop;
  io::Network& network;
  ClusterApi& api;
  AgentOptions options;
  CgroupHost cgroups;
  ConmonRuntime runtime;
  Puller images;
  LinuxPodHost host;
  NetProber prober;
  EventRecorder events;
  PodManager pods;
  Heartbeat heartbeat;
  io::TaskScope scope;
};

io::Task<Result<void>> Agent::Impl::start() {
  auto made = io::make_directories(options.data);
  if (!made) co_return made;
  auto opened = images.open();
  if (!opened) co_return opened;
  auto ground = co_await host.open();
  if (!ground) co_return wrap(ground.error(), "set up the node's network");
  auto recovered = co_await runtime.recover();
  if (!recovered) co_return wrap(recovered.error(), "adopt containers");
  runtime.on_exit([this](const ContainerKey& key) { pods.on_container_exit(key); });
  for (const auto& uid : host.known_pods()) pods.add_leftover(host.saved_pod(uid));
  scope.spawn(serve());
  co_return Result<void>();
}

io::Task<void> Agent::Impl::serve() {
  co_await heartbeat.enroll();
  scope.spawn(heartbeat.run_lease());
  scope.spawn(heartbeat.run_status());
  scope.spawn(api.follow("/api/v1/pods", "fieldSelector=spec.nodeName%3D" + options.node_name,
                         [this](const ObjectChange& change) { pods.on_change(change); }));
}

Agent::Agent(io::Loop& loop, io::Network& network, ClusterApi& api, AgentOptions options)
    : impl_(std::make_unique<Impl>(loop, network, api, std::move(options))) {}
Agent::~Agent() = default;

io::Task<Result<void>> Agent::start() {
  auto started = co_await impl_->start();
  co_return started;
}

size_t Agent::pods() const {
  return impl_->pods.size();
}
const io::Address& Agent::log_address() const {
  return impl_->options.log_address;
}

}  // namespace skiff::node
