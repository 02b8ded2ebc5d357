// A node agent against a cluster in memory, for black-box tests of the node alone. As root.
//
//   node_rig DATA INSTANCE POD_RANGE SERVICE_RANGE [silent]
//
// When silent, nobody who follows objects is told of any before the command "speak".
// Reads commands from standard input, one a line:
//   put FILE                  an object or a list of objects in JSON; pods get a uid of their names
//   delete NAMESPACE/POD S    as a user deletes, with S seconds of grace
//   erase NAMESPACE/POD       as a deletion by force
//   pod NAMESPACE/POD         prints "pod <JSON>"
//   get PATH                  prints "object <JSON>" of any object
//   speak                     the cluster answers from now on
//   events                    prints "event <JSON>" for each, then "events-end"
//   die N                     it is killed before its Nth step from now on that mounts or changes the
//                             network; 0: never
//   remove                    takes the instance off the machine, then ends
// Prints "started", "ready NAMESPACE/POD <ms>" and "gone NAMESPACE/POD". The pods are kept in
// DATA/cluster.json, so that a rig that was killed goes on where it was.
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <libmnl/libmnl.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>

#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/agent/agent.h"
#include "node/api/fake_api.h"
#include "node/pod/phase.h"
#include "node/runtime/record.h"

using namespace skiff;
using namespace skiff::node;

namespace {

std::atomic<pid_t> g_dying = 0;     // this process, while it is to die
std::atomic<int64_t> g_steps_left;  // until then

// Not in children before they become another program: they have a copy of all this.
void take_step() {
  if (g_dying == ::getpid() && --g_steps_left <= 0) ::kill(::getpid(), SIGKILL);
}

template <typename Call>
Call* real(const char* name) {
  return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name));
}

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

std::string pod_at(const std::string& name) {
  const auto halves = split_once(name, "/");
  return "/api/v1/namespaces/" + std::string(halves.before) + "/pods/" + std::string(halves.after);
}

std::string collection_of(const json::Value& object) {
  const std::map<std::string, std::string> kCollections = {{"Pod", "pods"},
                                                           {"ConfigMap", "configmaps"},
                                                           {"Secret", "secrets"},
                                                           {"Service", "services"},
                                                           {"EndpointSlice", "endpointslices"}};
  const std::string group =
      object["kind"].str() == "EndpointSlice" ? "/apis/discovery.k8s.io/v1" : std::string("/api/v1");
  return group + "/namespaces/" + object["metadata"]["namespace"].str() + "/" +
         kCollections.at(object["kind"].str());
}

class RigApi final : public FakeApi {
 public:
  explicit RigApi(io::Loop& loop) : FakeApi(loop), speaks(loop) {}
  io::Task<void> follow(std::string path, std::string query, ChangeCallback callback) override {
    co_await speaks.wait();
    co_await FakeApi::follow(path, query, std::move(callback));
  }
  io::Event speaks;
};

struct Rig {
  io::Loop& loop;
  RigApi& api;
  std::unique_ptr<Agent> agent;
  AgentOptions options;
  std::string saved;
  std::map<std::string, MonotonicTime> begun = {};
  std::map<std::string, bool> ready = {};
};

// Without fsync, as the rig ends by signals and not by power cuts.
void save(Rig& rig) {
  json::Value pods = json::Value::array();
  for (const auto& pod : rig.api.list("/api/v1/pods")) pods.push_back(pod);
  auto written = write_quick(rig.saved, json::encode(pods));
  if (!written) say("error " + written.error().message);
}

void put(Rig& rig, json::Value object) {
  json::Value& metadata = object.edit("metadata");
  if (metadata["namespace"].str().empty()) metadata.set("namespace", "default");
  const std::string name = metadata["namespace"].str() + "/" + metadata["name"].str();
  if (metadata["uid"].str().empty()) metadata.set("uid", replace_all(name, "/", "-") + "-uid");
  rig.begun[name] = rig.loop.now();
  rig.api.put(collection_of(object) + "/" + metadata["name"].str(), object);
}

void run_command(Rig& rig, const std::string& line) {
  const auto words = split(line, ' ');
  if (words[0] == "put") {
    const auto value = json::parse(io::read_file(words.at(1)).value_or("null"));
    if (!value) return say("error " + value.error().message);
    if (value->is_array()) {
      for (const auto& object : value->items()) put(rig, object);
    } else {
      put(rig, *value);
    }
  } else if (words[0] == "delete") {
    if (!rig.api.find(pod_at(words.at(1))).is_null())
      rig.api.begin_delete(pod_at(words[1]), *parse_int(words.at(2)));
  } else if (words[0] == "erase") {
    rig.api.erase(pod_at(words.at(1)));
  } else if (words[0] == "die") {
    g_steps_left = *parse_int(words.at(1));
    g_dying = g_steps_left > 0 ? ::getpid() : 0;
  } else if (words[0] == "pod") {
    say("pod " + json::encode(rig.api.find(pod_at(words.at(1)))));
  } else if (words[0] == "get") {
    say("object " + json::encode(rig.api.find(words.at(1))));
  } else if (words[0] == "speak") {
    rig.api.speaks.set();
  } else if (words[0] == "events") {
    for (const auto& event : rig.api.list("/api/v1/events")) say("event " + json::encode(event));
    say("events-end");
  }
  // Before the next command is answered: what a test was told of outlives a kill at any moment after.
  if (words[0] == "put" || words[0] == "delete" || words[0] == "erase") save(rig);
}

io::Task<void> read_commands(Rig* rig, std::unique_ptr<io::Stream> input) {
  std::string received;
  std::array<char, 4096> buffer;
  for (;;) {
    auto got = co_await input->read(buffer);
    if (!got || *got == 0) break;
    received.append(buffer.data(), *got);
    for (size_t end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
      const std::string line = received.substr(0, end);
      received.erase(0, end + 1);
      if (line == "remove") {
        rig->agent.reset();
        auto removed = co_await remove_instance(rig->loop, rig->options);
        say(removed ? "removed" : "error " + removed.error().message);
        rig->loop.stop();
        co_return;
      }
      run_command(*rig, line);
    }
  }
  rig->loop.stop();
}

void on_change(Rig& rig, const ObjectChange& change) {
  if (change.kind != ObjectChange::Kind::kUpsert && change.kind != ObjectChange::Kind::kRemoved) return;
  const auto& metadata = change.object["metadata"];
  const std::string name = metadata["namespace"].str() + "/" + metadata["name"].str();
  const bool ready =
      find_named(change.object["status"]["conditions"], "Ready", "type")["status"].str() == "True";
  if (ready && !std::exchange(rig.ready[name], true)) {
    const auto took = std::chrono::duration<double, std::milli>(rig.loop.now() - rig.begun[name]).count();
    say(fmt::format("ready {} {:.1f}", name, took));
  }
  if (!ready) rig.ready[name] = false;
  save(rig);
  if (change.kind == ObjectChange::Kind::kRemoved) say("gone " + name);
}

io::Task<void> start(Rig* rig) {
  auto started = co_await rig->agent->start();
  say(started ? "started" : "error " + started.error().message);
  if (!started) rig->loop.stop();
}

}  // namespace

// In place of the libraries' own, for all that is linked into this program.
extern "C" {

int mount(const char* source, const char* target, const char* type, unsigned long flags,
          const void* data) noexcept {
  take_step();
  return real<int(const char*, const char*, const char*, unsigned long, const void*)>("mount")(
      source, target, type, flags, data);
}

ssize_t mnl_socket_sendto(const mnl_socket* socket, const void* request, size_t size) {
  take_step();
  return real<ssize_t(const mnl_socket*, const void*, size_t)>("mnl_socket_sendto")(socket, request, size);
}

}  // extern "C"

int main(int argc, char** argv) {
  const bool silent = argc == 6 && std::string_view(argv[5]) == "silent";
  if (argc != 5 && !silent) {
    fmt::print(stderr, "node_rig DATA INSTANCE POD_RANGE SERVICE_RANGE [silent]\n");
    return 2;
  }
  const std::string data = argv[1];
  auto loop = io::make_epoll_loop(kAgentThreads);
  auto network = io::make_socket_network(*loop);
  RigApi api(*loop);
  if (!silent) api.speaks.set();
  AgentOptions options;
  options.data = data + "/node";
  options.local_images = data + "/images";
  options.node_name = "node1";
  options.instance = argv[2];
  options.ranges = {*parse_subnet(argv[3]), *parse_subnet(argv[4])};
  options.log_address = io::Address::unix_socket(data + "/logs.sock");
  options.pressure_hold = std::chrono::seconds(3);
  Rig rig{*loop, api, std::make_unique<Agent>(*loop, *network, api, options), options,
          data + "/cluster.json"};
  const auto saved = json::parse(io::read_file(rig.saved).value_or("[]"));
  if (saved) {
    for (const auto& pod : saved->items()) api.put(pod_path(pod), pod);
  }
  ::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  auto input = io::make_fd_stream(*loop, ::dup(STDIN_FILENO), "commands");
  if (!input) return 2;
  io::TaskScope scope(*loop);
  scope.spawn(start(&rig));
  scope.spawn(api.follow("/api/v1/pods", "", [&rig](const ObjectChange& change) { on_change(rig, change); }));
  scope.spawn(read_commands(&rig, std::move(*input)));
  loop->run();
  return 0;
}
