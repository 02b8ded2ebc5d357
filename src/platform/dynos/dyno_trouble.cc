#include "platform/dynos/dyno_trouble.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "base/time.h"
#include "platform/apps/manifests.h"
#include "platform/dynos/dyno_names.h"

namespace skiff::platform {

namespace {

using json::Value;

const Value* condition(const Value& pod, std::string_view type) {
  for (const auto& item : pod["status"]["conditions"].items()) {
    if (item["type"].str() == type) return &item;
  }
  return nullptr;
}

// How much later than its time a boot may be seen to have failed, on a busy machine. One that lived longer
// did listen: what the pod says of that goes with the process.
constexpr int kLateBootSeconds = 30;

bool ran_for_boot_time(const Value& ended) {
  const auto from = parse_rfc3339(ended["startedAt"].str()), to = parse_rfc3339(ended["finishedAt"].str());
  return from && to && *to - *from >= std::chrono::seconds(kBootSeconds) &&
         *to - *from <= std::chrono::seconds(kBootSeconds + kLateBootSeconds);
}

// It was ended since it never listened: it would be started by then otherwise.
bool timed_out(const Value& pod, const Value& ended) {
  const Value& status = pod["status"]["containerStatuses"].at(0);
  const bool web = pod["metadata"]["labels"][kProcessLabel].str() == "web";
  return web && !status["started"].as_bool() && ended["reason"].str() != "OOMKilled" &&
         ran_for_boot_time(ended);
}

std::string explain_end(const Value& pod, const Value& ended) {
  if (ended["reason"].str() == "OOMKilled")
    return fmt::format("used more than {} MB of memory", kDynoMegabytes);
  if (timed_out(pod, ended)) return boot_timeout_text();
  return fmt::format("exited with status {}", ended["exitCode"].as_int());
}

// The node's word for one that it ended since the disk was full; else what limit of its own it passed.
std::string explain_eviction(const Value& pod) {
  constexpr std::string_view kDiskFull = "The node was low on resource: ephemeral-storage.";
  const std::string& message = pod["status"]["message"].str();
  return message.starts_with(kDiskFull) ? "evicted: disk full" : fmt::format("evicted: {}", trim(message));
}

// The end that a dyno which is not running stands at.
const Value* last_end(const Value& pod) {
  const Value& status = pod["status"]["containerStatuses"].at(0);
  if (status["state"]["terminated"].is_object()) return &status["state"]["terminated"];
  const bool waits = status["state"].contains("waiting");
  return waits && status["lastState"]["terminated"].is_object() ? &status["lastState"]["terminated"]
                                                                : nullptr;
}

}  // namespace

std::string boot_timeout_text() {
  return fmt::format(
      "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within {} seconds of launch",
      kBootSeconds);
}

bool is_ready(const Value& pod) {
  const Value* ready = condition(pod, "Ready");
  return ready && (*ready)["status"].str() == "True" && !pod["metadata"].contains("deletionTimestamp");
}

std::string name_of_dyno(const Value& pod) {
  return pod["metadata"]["annotations"][kDynoAnnotation].str_or(fallback_dyno_name(pod));
}

int release_of(const Value& pod) {
  const std::string& label = pod["metadata"]["labels"][kReleaseLabel].str();
  return label.starts_with('v') ? static_cast<int>(parse_int(label.substr(1)).value_or(0)) : 0;
}

DynoTrouble find_trouble(const Value& pod) {
  using Kind = DynoTrouble::Kind;
  if (pod["status"]["reason"].str() == "Evicted") return {Kind::kCrashed, explain_eviction(pod)};
  if (const Value* ended = last_end(pod)) return {Kind::kCrashed, explain_end(pod, *ended)};
  const Value& before = pod["status"]["containerStatuses"].at(0)["lastState"]["terminated"];
  if (before.is_object() && timed_out(pod, before)) return {Kind::kCrashed, explain_end(pod, before)};
  const Value* placed = condition(pod, "PodScheduled");
  if (placed && (*placed)["status"].str() == "False") {
    return {Kind::kNoRoom, "waits for room: " + (*placed)["message"].str_or("no node takes it")};
  }
  const Value& waiting = pod["status"]["containerStatuses"].at(0)["state"]["waiting"];
  const std::string& reason = waiting["reason"].str();
  if (!reason.empty() && reason != "ContainerCreating" && reason != "PodInitializing") {
    return {Kind::kWaiting, waiting["message"].str_or(reason)};
  }
  if (pod["status"]["phase"].str() == "Failed")
    return {Kind::kCrashed, pod["status"]["message"].str_or("it was ended")};
  return {};
}

bool has_failed(const Value& pod) {
  const Value& status = pod["status"]["containerStatuses"].at(0);
  const Value& last = status["lastState"]["terminated"];
  const Value* ended = last_end(pod);
  if ((ended && timed_out(pod, *ended)) || (last.is_object() && timed_out(pod, last))) return true;
  return status["restartCount"].as_int() > 0 && ended != nullptr;
}

}  // namespace skiff::platform
