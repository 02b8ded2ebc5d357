#include "skiff/machine.h"

#include <fmt/core.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "io/durable.h"
#include "node/network/addresses.h"
#include "node/network/pod_network.h"

namespace skiff {

namespace {

constexpr const char* kDefaultDirectory = "/var/lib/skiff-machine";
constexpr Duration kLockLimit = std::chrono::seconds(30);  // it is held for milliseconds
constexpr Duration kLockPause = std::chrono::milliseconds(20);
constexpr std::string_view kSuffix = ".json";

std::string claims_directory() {
  return machine_directory() + "/instances";
}

std::string claim_file(const std::string& id) {
  return claims_directory() + "/" + id + std::string(kSuffix);
}

// The id of the instance in that directory; "" without one. An error is no answer.
Result<std::string> id_in(const std::string& data) {
  auto text = io::read_file(data + "/instance.json");
  if (!text && text.error().code == Code::kNotFound) return "";
  if (!text) return std::unexpected(text.error());
  auto value = json::parse(*text);
  if (!value) return wrap(value.error(), data + "/instance.json");
  return (*value)["id"].str();
}

bool is_gone(const Claim& claim) {
  const auto id = id_in(claim.data);
  return id && *id != claim.id;
}

bool same_directory(const std::string& one, const std::string& other) {
  struct stat a{}, b{};
  return ::stat(one.c_str(), &a) == 0 && ::stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

Result<node::ClusterRanges> ranges_of(const std::string& pods, const std::string& services) {
  auto pod_range = node::parse_subnet(pods);
  if (!pod_range) return std::unexpected(pod_range.error());
  auto service_range = node::parse_subnet(services);
  if (!service_range) return std::unexpected(service_range.error());
  return node::ClusterRanges{*pod_range, *service_range};
}

// Whom of the others the ranges meet; null when nobody.
const Claim* find_other(const node::ClusterRanges& ranges, const std::vector<Claim>& others) {
  for (const auto& claim : others) {
    auto theirs = ranges_of(claim.pod_range, claim.service_range);
    if (!claim.released && theirs && !node::are_free(ranges, {theirs->pods, theirs->services})) return &claim;
  }
  return nullptr;
}

Result<void> refuse_copy(const std::vector<Claim>& claims, const Instance& instance) {
  for (const auto& claim : claims) {
    const bool copy = claim.id == instance.id && !same_directory(claim.data, instance.data) &&
                      id_in(claim.data).value_or("") == instance.id;
    if (!copy) continue;
    return fail(
        Code::kConflict,
        fmt::format("{} is a copy of the instance in {}, and the two can't run on one machine: delete "
                    "one of them",
                    instance.data, claim.data));
  }
  return {};
}

enum class Released { kAvoid, kTake };

// A pair that meets neither a route nor another's.
Result<node::ClusterRanges> pick(std::vector<node::Subnet> taken, const std::vector<Claim>& others,
                                 Released released) {
  for (const auto& claim : others) {
    auto theirs = ranges_of(claim.pod_range, claim.service_range);
    if (!theirs || (claim.released && released == Released::kTake)) continue;
    taken.insert(taken.end(), {theirs->pods, theirs->services});
  }
  return node::pick_ranges(taken);
}

Result<void> give_ranges(Instance& instance, const std::vector<node::Subnet>& routes,
                         const std::vector<Claim>& others) {
  auto picked = pick(routes, others, Released::kAvoid);
  if (!picked) picked = pick(routes, others, Released::kTake);
  if (!picked) return std::unexpected(picked.error());
  const std::string before = instance.pod_range;
  instance.pod_range = picked->pods.to_string();
  instance.service_range = picked->services.to_string();
  instance.gateway = node::format_ipv4(picked->pods.base + 1);
  if (!before.empty()) {
    fmt::print("the addresses of pods move from {} to {}: somebody else on this machine has the old ones\n",
               before, instance.pod_range);
  }
  return {};
}

}  // namespace

std::string machine_directory() {
  const char* given = ::getenv("SKIFF_MACHINE");
  return given && *given ? given : kDefaultDirectory;
}

Result<Machine> Machine::open() {
  SKIFF_RETURN_IF_ERROR(io::make_directories(claims_directory()));
  const auto limit = std::chrono::steady_clock::now() + kLockLimit;
  for (;;) {
    auto lock = io::lock_file(machine_directory() + "/lock");
    if (lock) {
      io::sweep_unpublished(claims_directory());
      return Machine(std::move(*lock));
    }
    if (lock.error().code != Code::kUnavailable || std::chrono::steady_clock::now() > limit) {
      return std::unexpected(lock.error());
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

std::vector<Claim> Machine::read_all() const {
  std::vector<Claim> out;
  for (const auto& name : io::list_directory(claims_directory()).value_or(std::vector<std::string>{})) {
    if (!name.ends_with(kSuffix)) continue;
    auto text = io::read_file(claims_directory() + "/" + name);
    auto value = text ? json::parse(*text) : Result<json::Value>(json::Value());
    if (!value || name != (*value)["id"].str() + std::string(kSuffix)) continue;
    out.push_back({(*value)["id"].str(), (*value)["data"].str(), (*value)["podRange"].str(),
                   (*value)["serviceRange"].str(), (*value)["released"].as_bool()});
  }
  return out;
}

std::vector<Claim> Machine::claims() {
  auto all = read_all();
  std::erase_if(all, [&](const Claim& claim) {
    if (!is_gone(claim) || node::has_bridge(claim.id)) return false;
    auto dropped = drop(claim.id);
    return dropped.has_value();
  });
  return all;
}

std::vector<Claim> Machine::orphans() {
  auto all = read_all();
  std::erase_if(all, [](const Claim& claim) { return !is_gone(claim); });
  return all;
}

std::vector<std::string> Machine::unclear() {
  std::vector<std::string> out;
  for (const auto& claim : read_all()) {
    if (const auto id = id_in(claim.data); !id) out.push_back(id.error().message);
  }
  return out;
}

Result<void> Machine::write(const Claim& claim) {
  const auto value = json::Value::object({{"id", claim.id},
                                          {"data", claim.data},
                                          {"podRange", claim.pod_range},
                                          {"serviceRange", claim.service_range},
                                          {"released", claim.released}});
  return io::write_file_atomic(claim_file(claim.id), json::encode_pretty(value) + "\n");
}

Result<void> Machine::release(const std::string& id) {
  for (auto& claim : read_all()) {
    if (claim.id != id) continue;
    claim.released = true;
    return write(claim);
  }
  return {};
}

Result<void> Machine::drop(const std::string& id) {
  return io::remove_tree(claim_file(id));
}

Result<void> claim_ranges(Machine& machine, Instance& instance) {
  auto others = machine.claims();
  SKIFF_RETURN_IF_ERROR(refuse_copy(others, instance));
  std::erase_if(others, [&](const Claim& claim) { return claim.id == instance.id; });
  auto routes = node::host_routes(instance.id);
  if (!routes) return std::unexpected(routes.error());
  const auto own = ranges_of(instance.pod_range, instance.service_range);
  const Claim* other = own ? find_other(*own, others) : nullptr;
  const bool free = own && !other && node::are_free(*own, *routes);
  if (!free && !instance.pod_range.empty() && node::has_bridge(instance.id)) {
    return fail(
        Code::kConflict,
        fmt::format("{} is used by {} too, and this instance's network is still up with it: take its "
                    "containers off the machine with `skiff remove --data {}`, then start it again; it "
                    "gets other addresses",
                    instance.pod_range, other ? "the instance in " + other->data : "a route of this machine",
                    instance.data));
  }
  if (!free) SKIFF_RETURN_IF_ERROR(give_ranges(instance, *routes, others));
  return machine.write({instance.id, instance.data, instance.pod_range, instance.service_range});
}

}  // namespace skiff
