#include "node/pod/linux_pod_host.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/network/sockets.h"
#include "node/pod/container_builder.h"
#include "node/pod/pod_folder.h"
#include "node/runtime/record.h"
#include "node/runtime/sandbox.h"

namespace skiff::node {

namespace {
constexpr const char* kAddressFile = "/address";
constexpr const char* kStartedFile =
    "/started";  // the machine's boot, and the steady clock at the first set-up
constexpr const char* kSandboxFile = "/sandbox";  // the number of the present one
constexpr uint64_t kSandboxNumbers = 1 << 30;
constexpr const char* kPodFiles[] = {"/hosts", "/hostname", "/resolv.conf"};  // in the pod's etc
constexpr size_t kRemovalsAtOnce = 2;                                         // threads of the pool
constexpr size_t kMaxHostsFile = 1 << 20;  // of the host; a larger one is not shown to pods
constexpr size_t kMaxContainers = 256;     // of one pod: each takes a mount and a monitor

std::string uid_of(const json::Value& pod) {
  return pod["metadata"]["uid"].str();
}
bool uses_host_network(const json::Value& pod) {
  return pod["spec"]["hostNetwork"].as_bool();
}

struct Connected {
  PodPort port;
  std::string namespaces;
};

void filter_ports(BridgeFilter& filter, const std::vector<Connected>& connected) {
  std::vector<PodPort> ports;
  for (const auto& pod : connected) {
    // Where a reboot took the pod's network there is nothing to change.
    auto known = visit_network(pod.namespaces, [&pod] { return set_pod_mac(pod.port.address); });
    if (!known) log_debug("no interface", {{"veth", pod.port.veth}, {"error", known.error().message}});
    ports.push_back(pod.port);
  }
  filter.open(ports);
  // An agent of an older version that was killed between the two ends left the host's one down.
  for (const auto& port : ports) {
    auto up = bring_up_port(port.veth);
    if (up) up = allow_hairpin(port.veth);
    if (!up) log_debug("port stays down", {{"veth", port.veth}, {"error", up.error().message}});
  }
}

// Blocking: what a pod lists in them may be long.
Result<void> write_pod_files(const LinuxHostOptions& options, const json::Value& pod, const std::string& ip) {
  const std::string folder = options.paths.etc(uid_of(pod));
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder, 0755));
  const auto write_once = [&folder](const char* name, const auto& make) -> Result<void> {
    const std::string path = folder + name;
    if (io::path_exists(path)) return {};  // mounted into containers: must stay the same file
    Result<std::string> text = make();
    if (!text) return std::unexpected(text.error());
    SKIFF_RETURN_IF_ERROR(write_quick(path, *text));
    ::chmod(path.c_str(), 0644);
    return {};
  };
  SKIFF_RETURN_IF_ERROR(write_once("/hostname", [&]() -> Result<std::string> {
    auto hostname = kernel_hostname(pod, options.hostname, options.cluster_domain);
    if (hostname) *hostname += "\n";
    return hostname;
  }));
  SKIFF_RETURN_IF_ERROR(write_once("/hosts", [&] {
    if (!uses_host_network(pod)) return make_hosts(pod, ip, options.cluster_domain);
    return make_host_network_hosts(pod, io::read_file("/etc/hosts", kMaxHostsFile).value_or(""));
  }));
  return write_once("/resolv.conf", [&] {
    const auto host = parse_resolv_conf(io::read_file("/etc/resolv.conf").value_or(""));
    return make_resolv_conf(pod, host, options.cluster_dns, options.cluster_domain);
  });
}

// True while the network in this folder has TCP sockets though every program in it has ended.
bool is_sending(const std::string& namespaces) {
  bool found = false;
  auto looked = visit_network(namespaces, [&found]() -> Result<void> {
    // Of the calling thread: /proc/net is the network of the whole process.
    for (const char* path : {"/proc/thread-self/net/sockstat", "/proc/thread-self/net/sockstat6"}) {
      found = found || has_tcp_sockets(io::read_file(path).value_or(""));
    }
    return {};
  });
  return looked && found;
}
}  // namespace

std::string container_log_path(const NodePaths& paths, const json::Value& pod, const std::string& container,
                               int attempt) {
  return pod_log_folder(paths, pod) + "/" + container + "/" + std::to_string(attempt) + ".log";
}

LinuxPodHost::LinuxPodHost(io::Loop& loop, ClusterApi& api, LinuxHostOptions options)
    : loop_(loop),
      api_(api),
      options_(std::move(options)),
      volumes_(loop, api, options_.paths, options_.node),
      filter_(std::make_shared<BridgeFilter>(options_.instance, std::make_shared<NftFirewall>())),
      removals_(loop, kRemovalsAtOnce),
      addresses_(options_.ranges.pods) {}

io::Task<Result<void>> LinuxPodHost::open() {
  auto made = co_await io::run_blocking(loop_, [options = options_]() -> Result<void> {
    SKIFF_RETURN_IF_ERROR(io::make_directories(options.paths.pods()));
    SKIFF_RETURN_IF_ERROR(io::make_directories(options.paths.logs()));
    SKIFF_RETURN_IF_ERROR(make_mount_point(options.paths.mounts()));
    sweep_nameless_pods(options.paths);
    return make_bridge({options.instance, options.ranges});
  });
  if (!made) co_return made;
  auto netlink = Netlink::open();
  if (!netlink) co_return std::unexpected(netlink.error());
  auto index = netlink->link_index(bridge_name(options_.instance));
  if (!index) co_return std::unexpected(index.error());
  bridge_ = *index;
  std::vector<Connected> connected;
  for (const auto& uid : known_pods()) {
    auto text = io::read_file(options_.paths.pod(uid) + kAddressFile);
    auto address = text ? parse_ipv4(std::string(trim(*text))) : Result<Ipv4>(std::unexpected(text.error()));
    if (!address || !addresses_.reserve(*address)) continue;
    taken_[uid] = *address;
    connected.push_back({{veth_name(options_.instance, uid), *address}, options_.paths.namespaces(uid)});
  }
  co_await io::run_blocking(loop_, [filter = filter_, connected] {
    filter_ports(*filter, connected);
    return Result<void>();
  });
  co_return Result<void>();
}

std::vector<std::string> LinuxPodHost::known_pods() const {
  return io::list_directory(options_.paths.pods()).value_or(std::vector<std::string>{});
}

json::Value LinuxPodHost::saved_pod(const std::string& uid) const {
  auto text = io::read_file(options_.paths.pod(uid) + kPodFile);
  if (!text) return {};
  return json::parse(*text).value_or(json::Value());
}

Result<Ipv4> LinuxPodHost::address_of(const std::string& uid) {
  if (const auto known = taken_.find(uid); known != taken_.end()) return known->second;
  auto address = addresses_.take();
  if (!address) return address;
  taken_[uid] = *address;
  auto written = write_quick(options_.paths.pod(uid) + kAddressFile, format_ipv4(*address));
  if (!written) return std::unexpected(written.error());
  return address;
}

// The wall clock may be set between two agents; the steady one goes on until the machine's next start.
std::optional<MonotonicTime> LinuxPodHost::first_set_up(const std::string& uid) {
  const std::string file = options_.paths.pod(uid) + kStartedFile;
  const std::string text = io::read_file(file).value_or("");
  const auto halves = split_once(std::string_view(text), " ");
  // What a power cut emptied says nothing.
  if (const auto since = parse_int(halves.after)) {
    if (halves.before != options_.boot_id) return std::nullopt;
    return std::min(loop_.now(), MonotonicTime(Duration(*since)));
  }
  const auto now = loop_.now().time_since_epoch().count();
  auto written = write_quick(file, options_.boot_id + " " + std::to_string(now));
  return std::nullopt;
}

bool LinuxPodHost::alive(const json::Value& pod) {
  return sandbox_alive(options_.paths.namespaces(uid_of(pod)));
}

io::Task<Result<PodGround>> LinuxPodHost::set_up(json::Value pod) {
  const std::string uid = uid_of(pod);
  if (pod["spec"]["containers"].size() + pod["spec"]["initContainers"].size() > kMaxContainers) {
    co_return fail(Code::kResourceExhausted,
                   "the pod has more than " + std::to_string(kMaxContainers) + " containers");
  }
  auto made = io::make_directories(options_.paths.pod(uid));
  if (!made) co_return std::unexpected(made.error());
  auto saved = write_quick(options_.paths.pod(uid) + kPodFile, json::encode(pod));
  if (!saved) co_return std::unexpected(saved.error());
  PodGround ground;
  ground.started = first_set_up(uid);
  ground.sandbox = options_.paths.namespaces(uid);
  ground.ip = options_.node.host_ip;
  if (!uses_host_network(pod)) {
    auto address = address_of(uid);
    if (!address) co_return std::unexpected(address.error());
    ground.ip = format_ipv4(*address);
  }
  pod.edit("status").set("podIP", ground.ip);
  auto volumes = co_await volumes_.prepare(pod);
  if (!volumes) co_return std::unexpected(volumes.error());
  ground.volumes = std::move(volumes->paths);
  ground.memory_volumes = std::move(volumes->memory);
  const std::string number_file = options_.paths.pod(uid) + kSandboxFile;
  const auto number = parse_int(trim(io::read_file(number_file).value_or("")));
  ground.sandbox_number = static_cast<int>(number.value_or(0));
  auto limited = co_await limit_pod(pod);
  if (!limited) co_return fail(Code::kInternal, limited.error().message);
  if (!sandbox_alive(ground.sandbox)) {
    // By chance and not counted: a power cut may take the file and leave the records that bear its number.
    ground.sandbox_number = static_cast<int>(1 + loop_.random().below(kSandboxNumbers));
    auto numbered = write_quick(number_file, std::to_string(ground.sandbox_number));
    if (!numbered) co_return std::unexpected(numbered.error());
    // Nothing has them mounted now. They are not synced: after a power cut they may be empty.
    for (const char* name : kPodFiles) ::unlink((options_.paths.etc(uid) + name).c_str());
    auto namespaces = co_await make_namespaces(pod, ground.ip);
    if (!namespaces) co_return fail(Code::kInternal, namespaces.error().message);
  }
  auto files = co_await io::run_blocking(
      loop_, [options = options_, pod, ip = ground.ip] { return write_pod_files(options, pod, ip); });
  if (!files) co_return fail(Code::kInternal, files.error().message);
  co_return ground;
}

// A pod that runs already may hold more than an agent of an older version let it: it goes on.
io::Task<Result<void>> LinuxPodHost::limit_pod(json::Value pod) {
  auto limited = co_await io::run_blocking(
      loop_, [cgroups = options_.cgroups, cgroup = cgroup_of(pod), limits = make_pod_limits(pod)] {
        return apply_pod_cgroup(cgroups, cgroup, limits);
      });
  if (limited || !sandbox_alive(options_.paths.namespaces(uid_of(pod)))) co_return limited;
  log_warn("pod not limited", {{"pod", uid_of(pod)}, {"error", limited.error().message}});
  co_return Result<void>();
}

io::Task<Result<void>> LinuxPodHost::make_namespaces(json::Value pod, std::string ip) {
  const std::string folder = options_.paths.namespaces(uid_of(pod));
  const std::string veth = veth_name(options_.instance, uid_of(pod));
  const auto network = uses_host_network(pod) ? PodNetwork::kHost : PodNetwork::kOwn;
  const auto hostname = kernel_hostname(pod, options_.hostname, options_.cluster_domain);
  if (!hostname) co_return std::unexpected(hostname.error());
  auto address = parse_ipv4(ip);
  if (network == PodNetwork::kOwn && !address) co_return std::unexpected(address.error());
  auto made = co_await io::run_blocking(
      loop_,
      [folder, veth, network, hostname = *hostname, address = address.value_or(0), bridge = bridge_,
       subnet = options_.ranges.pods, filter = filter_]() -> Result<void> {
        auto host = Netlink::open();
        if (!host) return std::unexpected(host.error());
        // What an earlier try or a reboot left.
        auto cleaned = remove_sandbox(folder);
        if (network == PodNetwork::kOwn) auto deleted = host->delete_link(veth);
        const NetworkSteps steps{[&](int net_namespace) {
                                   return connect_pod(*host, bridge, veth, net_namespace, address, subnet);
                                 },
                                 [&]() -> Result<void> {
                                   SKIFF_RETURN_IF_ERROR(filter->allow({veth, address}));
                                   SKIFF_RETURN_IF_ERROR(bring_up_port(veth));
                                   return allow_hairpin(veth);
                                 }};
        return make_sandbox(folder, hostname, network, steps);
      });
  co_return made;
}

io::Task<void> LinuxPodHost::refresh(json::Value pod) {
  co_await volumes_.refresh(pod);
}

std::string LinuxPodHost::cgroup_of(const json::Value& pod) const {
  return "/skiff-" + options_.instance + "/pod" + uid_of(pod);
}

namespace {
struct TornDown {
  bool waits = false;     // for clients: nothing was done
  bool unlinked = false;  // no interface has the pod's address
  Result<void> result;
};

// Blocking. Each step is tried whatever became of those before. `address` is 0 for a pod without one.
TornDown take_apart(const LinuxHostOptions& options, BridgeFilter& filter, const std::string& uid,
                    Ipv4 address, const std::string& cgroup, Unsent unsent) {
  const NodePaths& paths = options.paths;
  if (unsent == Unsent::kKeep && is_sending(paths.namespaces(uid))) {
    return {true, false, fail(Code::kUnavailable, "clients have not taken all data yet")};
  }
  const PodPort port{veth_name(options.instance, uid), address};
  const Result<void> unlinked = disconnect_pod(port.veth);
  if (unlinked && address != 0) filter.forget(port);
  const Result<void> removed = remove_sandbox(paths.namespaces(uid));
  const Result<void> released = VolumeManager::release(paths, uid);
  remove_cgroup(options.cgroups, cgroup);
  for (const auto& result : {unlinked, removed, released}) {
    if (!result) return {false, unlinked.has_value(), result};
  }
  return {false, true, {}};
}
}  // namespace

io::Task<Result<void>> LinuxPodHost::tear_down(json::Value pod, Unsent unsent) {
  const std::string uid = uid_of(pod);
  const auto known = taken_.find(uid);
  const Ipv4 address = known == taken_.end() ? 0 : known->second;
  auto torn = co_await io::run_blocking(
      loop_, [unsent, options = options_, filter = filter_, uid, address, cgroup = cgroup_of(pod)] {
        return take_apart(options, *filter, uid, address, cgroup, unsent);
      });
  if (torn.waits) co_return torn.result;
  volumes_.forget(uid);
  const auto taken = taken_.find(uid);
  // An address that an interface may still have is nobody else's yet.
  if (taken != taken_.end() && torn.unlinked) {
    addresses_.release(taken->second);
    taken_.erase(taken);
    ::unlink((options_.paths.pod(uid) + kAddressFile).c_str());
  }
  // An ended pod keeps its logs; what its volumes held goes, be it much.
  auto emptied = co_await io::run_blocking(
      removals_, [volumes = options_.paths.volumes(uid)] { return io::remove_tree(volumes); });
  co_return torn.result ? emptied : torn.result;
}

io::Task<Result<void>> LinuxPodHost::remove(json::Value pod) {
  auto torn = co_await tear_down(pod, Unsent::kDrop);
  if (!torn) co_return torn;  // the folder names what is left
  auto removed = co_await io::run_blocking(
      removals_, [paths = options_.paths, pod] { return remove_pod_folder(paths, pod); });
  co_return removed;
}

}  // namespace skiff::node
