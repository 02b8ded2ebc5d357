#include "node/agent/agent.h"

#include "base/log.h"
#include "io/file.h"
#include "io/long_work.h"
#include "io/sync.h"
#include "node/agent/disk_pressure.h"
#include "node/agent/heartbeat.h"
#include "node/agent/measure_turns.h"
#include "node/agent/pod_manager.h"
#include "node/agent/storage_watch.h"
#include "node/dns/dns_server.h"
#include "node/events/recorder.h"
#include "node/images/puller.h"
#include "node/logs/log_files.h"
#include "node/logs/log_server.h"
#include "node/network/forwarding.h"
#include "node/network/forwarding_switch.h"
#include "node/network/pod_network.h"
#include "node/pod/linux_pod_host.h"
#include "node/pod/net_prober.h"
#include "node/runtime/conmon_runtime.h"
#include "node/services/routed_pods.h"
#include "node/services/service_proxy.h"

namespace skiff::node {

namespace {

constexpr Ipv4 kGatewayHost = 1, kDnsHost = 10;
constexpr Duration kWaitForApi = std::chrono::seconds(15);  // before pods on disk go on without it
constexpr Duration kRotateEvery = std::chrono::seconds(10);
constexpr Duration kCollectEvery = std::chrono::minutes(5);
// Also for a node that never runs for that long; by then it knows its pods, with the API or without.
constexpr Duration kFirstCollect = kWaitForApi + std::chrono::seconds(5);
constexpr Duration kMeasureEvery = std::chrono::seconds(5);  // disk use of pods that have a limit, free space
constexpr Duration kMeasurePause =
    kMeasureEvery / 2;                 // of one pod; as long as a round, it would miss every other
constexpr size_t kMeasuresAtOnce = 2;  // the pods' limits, and what to evict for the disk's sake
constexpr Duration kReliefTime = std::chrono::seconds(15);  // for an evicted pod's files to go

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
  out.layer_recipes = options.layer_recipes;
  out.machine_layers = options.machine_layers;
  out.machine_stacks = options.machine_stacks;
  return out;
}

LinuxHostOptions host_options(const AgentOptions& options, const CgroupHost& cgroups) {
  auto made = io::make_directories(options.data);  // its file system is measured
  const MachineFacts machine = read_machine(options.data);
  LinuxHostOptions out;
  out.paths = paths_of(options);
  out.instance = options.instance;
  out.node = {options.node_name, options.host_ip, machine.cpu_milli, machine.memory_bytes,
              machine.disk_bytes};
  out.hostname = machine.hostname;
  out.boot_id = machine.boot_id;
  out.cluster_domain = options.cluster_domain;
  out.cluster_dns = format_ipv4(options.ranges.services.base + kDnsHost);
  out.ranges = options.ranges;
  out.cgroups = cgroups;
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

DnsOptions dns_options(const AgentOptions& options) {
  DnsOptions out;
  out.address = format_ipv4(options.ranges.services.base + kDnsHost);
  out.domain = options.cluster_domain;
  // Read each time: the host's resolvers change when it joins another network.
  out.resolvers = [] {
    return parse_resolv_conf(io::read_file("/etc/resolv.conf").value_or("")).nameservers;
  };
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
        host(l, a, host_options(options, cgroups)),
        prober(l, n, runtime),
        events(l, a, options.node_name),
        pods(WorkerServices{
            l, a, runtime, images, host, prober, events, options.host_ip,
            [this](const json::Value& pod) { return routed.contains(pod, services.objects()); }}),
        heartbeat(l, a, images, status_input(options), options.data, options.pressure_hold),
        services(l, a, {options.instance, options.ranges, {}, options.egress, options.open_ports},
                 std::make_shared<NftFirewall>()),
        dns(l, n, dns_options(options),
            [this] {
              const ServiceObjects& known = services.objects();
              return ClusterZone::Objects{known.services, known.slices, known.index, services.all_known()};
            }),
        logs(l, options.log_token,
             [this](const std::string& name_space, const std::string& pod, const std::string& container,
                    bool previous) { return find_log(name_space, pod, container, previous); }),
        measures(l, kMeasuresAtOnce),
        scope(l) {
    host.use_services([this] {
      return services.services_known() || go_without_services ? &services.objects().services : nullptr;
    });
  }
  ~Impl() {
    scope.cancel();
    pods.stop();
  }

  io::Task<Result<void>> start();
  io::Task<void> serve();
  io::Task<void> begin_without_api();
  io::Task<void> rotate_logs();
  io::Task<void> collect_garbage();
  io::Task<void> watch_pods_storage();
  io::Task<void> watch_disk();
  io::Task<void> enforce_disk_limits();
  io::Task<void> relieve_disk();
  Result<LogTarget> find_log(const std::string& name_space, const std::string& name,
                             const std::string& container, bool previous);

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
  RoutedPods routed;
  PodManager pods;
  Heartbeat heartbeat;
  ServiceProxy services;
  DnsServer dns;
  LogServer logs;
  bool go_without_services = false;  // the API stayed away for long
  MonotonicTime relieved{};          // when a pod was last evicted for the disk's sake
  io::LongWork measures;
  MeasureTurns turns{kMeasurePause};
  io::TaskScope scope;
};

io::Task<Result<void>> Agent::Impl::start() {
  auto made = io::make_directories(options.data);
  if (!made) co_return made;
  auto opened = images.open();
  if (!opened) co_return opened;
  auto sealed = co_await images.seal_old_layers();
  if (!sealed) co_return sealed;
  auto ground = co_await host.open();
  if (!ground) co_return wrap(ground.error(), "set up the node's network");
  auto forwarding = co_await io::run_blocking(loop, [] { return turn_on_forwarding(); });
  if (!forwarding) co_return wrap(forwarding.error(), "set up the node's network");
  services.set_forwarding(std::move(*forwarding));
  co_await allow_forwarding(loop, bridge_name(options.instance), options.ranges.services.to_string());
  auto proxied = co_await services.start();
  if (!proxied) co_return wrap(proxied.error(), "set up services");
  auto recovered = co_await runtime.recover();
  if (!recovered) co_return wrap(recovered.error(), "adopt containers");
  runtime.on_exit([this](const ContainerKey& key) { pods.on_container_exit(key); });
  for (const auto& uid : host.known_pods()) pods.add_leftover(host.saved_pod(uid));
  auto named = dns.listen();
  if (!named) co_return named;
  auto listening = logs.listen(network, options.log_address);
  if (!listening) co_return listening;
  scope.spawn(serve());
  scope.spawn(begin_without_api());
  scope.spawn(rotate_logs());
  scope.spawn(images.remove_leftovers());
  scope.spawn(collect_garbage());
  scope.spawn(watch_pods_storage());
  scope.spawn(watch_disk());
  co_return Result<void>();
}

io::Task<void> Agent::Impl::begin_without_api() {
  co_await io::sleep(loop, kWaitForApi);
  go_without_services = true;
  pods.begin_leftovers();
}

Result<LogTarget> Agent::Impl::find_log(const std::string& name_space, const std::string& name,
                                        const std::string& container, bool previous) {
  const json::Value* pod = pods.find(name_space, name);
  if (pod == nullptr) return fail(Code::kNotFound, "pod \"" + name + "\" not found");
  const auto& uid = (*pod)["metadata"]["uid"].str();
  std::optional<ContainerRun> latest;
  for (const auto& run : runtime.list(uid)) {
    if (run.key.name == container) latest = run;
  }
  const std::string who = "container \"" + container + "\" in pod \"" + name + "\"";
  if (!latest) return fail(Code::kInvalidArgument, who + " is waiting to start: ContainerCreating");
  const int attempt = latest->key.attempt - (previous ? 1 : 0);
  if (attempt < 0) return fail(Code::kInvalidArgument, "previous terminated " + who + " not found");
  const ContainerKey key{uid, container, attempt};
  return LogTarget{container_log_path(paths_of(options), *pod, container, attempt), [this, key] {
                     const auto run = runtime.find(key);
                     return run && run->state != RunState::kExited;
                   }};
}

io::Task<void> Agent::Impl::rotate_logs() {
  for (;;) {
    co_await io::sleep(loop, kRotateEvery);
    for (const auto& pod : pods.all()) {
      for (const auto& run : runtime.list(pod["metadata"]["uid"].str())) {
        if (run.state != RunState::kRunning) continue;
        const std::string path = container_log_path(paths_of(options), pod, run.key.name, run.key.attempt);
        auto rotated = rotate_log(path, loop.wall_now());
        if (!rotated || !*rotated) continue;
        auto reopened = runtime.reopen_log(run.key);
        if (!reopened)
          log_warn("log not reopened", {{"container", run.id}, {"error", reopened.error().message}});
      }
    }
  }
}

io::Task<void> Agent::Impl::watch_pods_storage() {
  for (;;) {
    co_await io::sleep(loop, kMeasureEvery);
    co_await enforce_disk_limits();
  }
}

// Apart from the pods' limits: a disk that fills does not wait until all pods are measured.
io::Task<void> Agent::Impl::watch_disk() {
  for (;;) {
    co_await io::sleep(loop, kMeasureEvery);
    co_await relieve_disk();
  }
}

io::Task<void> Agent::Impl::enforce_disk_limits() {
  for (;;) {
    std::map<std::string, json::Value> limited;
    std::vector<std::string> uids;
    for (const auto& pod : pods.all()) {
      if (!has_disk_limit(pod)) continue;
      uids.push_back(pod["metadata"]["uid"].str());
      limited[uids.back()] = pod;
    }
    const auto uid = turns.next(uids, loop.now());
    if (!uid) co_return;
    const json::Value pod = limited[*uid];
    const MonotonicTime begin = loop.now();
    auto usage = co_await io::run_blocking(
        measures, [paths = paths_of(options), pod] { return measure_disk(paths, pod); });
    turns.measured(*uid, begin, loop.now());
    const auto excess = find_disk_excess(pod, usage);
    if (excess) pods.evict(*uid, *excess);
  }
}

// Images first; a pod only when they did not help, and one at a time.
io::Task<void> Agent::Impl::relieve_disk() {
  if (!wants_images_collected(read_disk(options.data))) co_return;
  const Puller::InUse in_use = [this] { return pods.images_in_use(); };
  auto collected = co_await images.collect(in_use, Puller::Pressure::kDiskFull);
  if (!collected) log_warn("images not collected", {{"error", collected.error().message}});
  const DiskSpace disk = read_disk(options.data);
  if (!under_disk_pressure(disk) || loop.now() - relieved < kReliefTime) co_return;
  auto uses = co_await io::run_blocking(measures, [paths = paths_of(options), all = pods.all()] {
    std::vector<PodDiskUse> out;
    for (const auto& pod : all) out.push_back({pod, measure_disk(paths, pod)});
    return out;
  });
  const auto eviction = pick_eviction(uses, disk);
  if (!eviction) co_return;
  log_warn("disk is full, pod evicted", {{"uid", eviction->uid}});
  relieved = loop.now();
  auto told = co_await heartbeat.write_status();
  if (!told) log_warn("node status not written", {{"error", told.error().message}});
  pods.evict(eviction->uid, eviction->message);
}

io::Task<void> Agent::Impl::collect_garbage() {
  for (Duration pause = kFirstCollect;; pause = kCollectEvery) {
    co_await io::sleep(loop, pause);
    const Puller::InUse in_use = [this] { return pods.images_in_use(); };
    auto collected = co_await images.collect(in_use, Puller::Pressure::kNone);
    if (!collected) log_warn("images not collected", {{"error", collected.error().message}});
  }
}

io::Task<void> Agent::Impl::serve() {
  co_await heartbeat.enroll();
  scope.spawn(heartbeat.run_lease());
  scope.spawn(heartbeat.run_status());
  scope.spawn(api.follow("/apis/networking.k8s.io/v1/ingresses", "",
                         [this](const ObjectChange& change) { routed.on_change(change); }));
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
