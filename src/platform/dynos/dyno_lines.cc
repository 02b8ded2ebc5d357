#include "platform/dynos/dyno_lines.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "base/time.h"
#include "platform/apps/manifests.h"
#include "platform/dynos/dyno_trouble.h"

namespace skiff::platform {

namespace {

using json::Value;
using Lines = std::vector<std::string>;

constexpr int64_t kKilled = 137;  // by SIGKILL

struct Instance {
  int64_t number = 0;  // 1 is the first; 0: none started yet
  const Value* ended = nullptr;
  bool started = false;  // $PORT answers
};

Instance instance_of(const Value& status) {
  Instance out;
  const Value& state = status["state"];
  const Value& last = status["lastState"]["terminated"];
  if (state.contains("terminated")) out.ended = &state["terminated"];
  if (state.contains("waiting") && last.is_object()) out.ended = &last;
  out.started = state.contains("running") && status["started"].as_bool();
  if (out.ended || state.contains("running")) out.number = status["restartCount"].as_int() + 1;
  return out;
}

void change_state(ToldDyno& told, const std::string& to, Lines& lines) {
  lines.push_back(fmt::format("State changed from {} to {}", told.state, to));
  told.state = to;
}

bool took_boot_time(const Value& ended) {
  const auto from = parse_rfc3339(ended["startedAt"].str()), to = parse_rfc3339(ended["finishedAt"].str());
  return from && to && *to - *from >= std::chrono::seconds(kBootSeconds);
}

// Why the node ended it, when it did: the node's SIGKILL shows in the exit code, the reason in the
// circumstances.
void explain_kill(const Value& pod, const Value& ended, const ToldDyno& told, Lines& lines) {
  const Value& metadata = pod["metadata"];
  const bool web = metadata["labels"][kProcessLabel].str() == "web";
  if (pod["status"]["reason"].str() == "Evicted") {
    lines.push_back(fmt::format("Stopping process: {}", find_trouble(pod).why));
    return;
  }
  if (ended["reason"].str() == "OOMKilled") {
    lines.push_back(fmt::format("Process running mem={}M(100.0%)", kDynoMegabytes));
    lines.emplace_back("Error R15 (Memory quota vastly exceeded)");
  } else if (told.state == "starting" && web && took_boot_time(ended)) {
    lines.push_back(boot_timeout_text());
  } else if (told.state == "stopping" && ended["exitCode"].as_int() == kKilled &&
             ended["finishedAt"].str() >= metadata["deletionTimestamp"].str()) {
    lines.push_back(
        fmt::format("Error R12 (Exit timeout) -> Process failed to exit within {} seconds of SIGTERM",
                    kStopGraceSeconds));
  } else {
    return;
  }
  if (ended["exitCode"].as_int() == kKilled) lines.emplace_back("Stopping process with SIGKILL");
}

void tell_exit(const Value& pod, const Value& ended, ToldDyno& told, Lines& lines) {
  explain_kill(pod, ended, told, lines);
  lines.push_back(fmt::format("Process exited with status {}", ended["exitCode"].as_int()));
  if (told.state == "stopping") {
    told.state = "down";
  } else {
    change_state(told, "crashed", lines);
  }
}

bool runs(const ToldDyno& told) {
  return told.state == "starting" || told.state == "up" || told.state == "stopping";
}

void tell_start(const Value& pod, const Instance& instance, ToldDyno& told, Lines& lines) {
  if (runs(told)) {
    // Its predecessor's end was not seen.
    const Value& ended = pod["status"]["containerStatuses"].at(0)["lastState"]["terminated"];
    if (ended.is_object()) tell_exit(pod, ended, told, lines);
  }
  if (told.state.empty() || told.state == "waiting") {
    told.state = "starting";
  } else {
    change_state(told, "starting", lines);
  }
  lines.push_back(fmt::format("Starting process with command `{}`", command_of(pod)));
  told.starts = instance.number;
}

// A dyno that does not come to its start, once.
void tell_wait(const Value& pod, ToldDyno& told, Lines& lines) {
  const DynoTrouble trouble = find_trouble(pod);
  if (trouble.kind != DynoTrouble::Kind::kNoRoom && trouble.kind != DynoTrouble::Kind::kWaiting) return;
  lines.push_back("Not started yet: " + trouble.why);
  told.state = "waiting";
}

}  // namespace

std::string encode_told(const ToldDyno& told) {
  return fmt::format("{}.{}", told.starts, told.state);
}

ToldDyno parse_told(std::string_view text) {
  const auto halves = split_once(text, ".");
  return {parse_int(halves.before).value_or(0), std::string(halves.after)};
}

Lines plan_dyno_lines(const Value& pod, ToldDyno& told) {
  Lines lines;
  if (told.state.empty() && !pod["metadata"].contains("deletionTimestamp")) tell_wait(pod, told, lines);
  const Instance instance = instance_of(pod["status"]["containerStatuses"].at(0));
  const bool deleted = pod["metadata"].contains("deletionTimestamp");
  if (told.state == "down") return lines;
  if (instance.number > told.starts && told.state != "stopping") tell_start(pod, instance, told, lines);
  if (instance.started && told.state == "starting" && !deleted) change_state(told, "up", lines);
  if (deleted && runs(told) && told.state != "stopping") {
    change_state(told, "down", lines);
    lines.emplace_back("Stopping all processes with SIGTERM");
    told.state = "stopping";
  } else if (deleted && told.state == "crashed") {
    change_state(told, "down", lines);
  }
  if (instance.ended && runs(told)) tell_exit(pod, *instance.ended, told, lines);
  return lines;
}

}  // namespace skiff::platform
