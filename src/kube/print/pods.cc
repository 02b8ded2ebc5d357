#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "kube/print/cells.h"
#include "kube/print/printers.h"

namespace skiff::kube {

namespace {

constexpr std::array kColumns = std::to_array<Column>({{"Name", "string", "name"},
                                                       {"Ready"},
                                                       {"Status"},
                                                       {"Restarts"},
                                                       {"Age"},
                                                       {"IP", "string", "", 1},
                                                       {"Node", "string", "", 1},
                                                       {"Nominated Node", "string", "", 1},
                                                       {"Readiness Gates", "string", "", 1}});

struct Summary {
  size_t ready = 0;
  size_t total = 0;
  int64_t restarts = 0;
  std::string last_restart;  // RFC 3339, so the greatest text is the latest
  std::string status;
};

void count_restarts(const json::Value& container, int64_t& restarts, std::string& last) {
  restarts += container["restartCount"].as_int();
  last = std::max(last, container["lastState"]["terminated"]["finishedAt"].str());
}

bool has_condition(const json::Value& pod, std::string_view type) {
  return std::ranges::any_of(pod["status"]["conditions"].items(), [&](const json::Value& one) {
    return one["type"].str() == type && one["status"].str() == "True";
  });
}

bool is_sidecar(const json::Value& pod, std::string_view name) {
  return std::ranges::any_of(pod["spec"]["initContainers"].items(), [&](const json::Value& one) {
    return one["name"].str() == name && one["restartPolicy"].str() == "Always";
  });
}

// "Error", or "Signal:9" or "ExitCode:1" for a container that ended without a reason.
std::string end_of(const json::Value& terminated) {
  if (!terminated["reason"].str().empty()) return terminated["reason"].str();
  if (terminated["signal"].as_int() != 0) return fmt::format("Signal:{}", terminated["signal"].as_int());
  return fmt::format("ExitCode:{}", terminated["exitCode"].as_int());
}

// The status while init containers run; "" when they are through.
std::string init_status(const json::Value& pod, Summary& all, Summary& sidecars) {
  size_t index = 0;
  for (const auto& container : pod["status"]["initContainerStatuses"].items()) {
    size_t done = index++;
    bool sidecar = is_sidecar(pod, container["name"].str());
    count_restarts(container, all.restarts, all.last_restart);
    if (sidecar) count_restarts(container, sidecars.restarts, sidecars.last_restart);
    const auto& terminated = container["state"]["terminated"];
    const std::string& waiting = container["state"]["waiting"]["reason"].str();
    if (terminated.is_object() && terminated["exitCode"].as_int() == 0) continue;
    if (sidecar && container["started"].as_bool()) {
      if (container["ready"].as_bool()) ++all.ready;
      continue;
    }
    if (terminated.is_object()) return "Init:" + end_of(terminated);
    if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + waiting;
    return fmt::format("Init:{}/{}", done, pod["spec"]["initContainers"].size());
  }
  return "";
}

void add_containers(const json::Value& pod, Summary& out) {
  bool running = false;
  const auto& containers = pod["status"]["containerStatuses"].items();
  for (auto one = containers.rbegin(); one != containers.rend(); ++one) {
    const auto& state = (*one)["state"];
    count_restarts(*one, out.restarts, out.last_restart);
    if (!state["waiting"]["reason"].str().empty()) {
      out.status = state["waiting"]["reason"].str();
    } else if (state["terminated"].is_object()) {
      out.status = end_of(state["terminated"]);
    } else if ((*one)["ready"].as_bool() && state.contains("running")) {
      running = true;
      ++out.ready;
    }
  }
  if (out.status == "Completed" && running) out.status = has_condition(pod, "Ready") ? "Running" : "NotReady";
}

std::string first_status(const json::Value& pod) {
  const auto& status = pod["status"];
  for (const auto& one : status["conditions"].items()) {
    if (one["type"].str() == "PodScheduled" && one["reason"].str() == "SchedulingGated")
      return "SchedulingGated";
  }
  return status["reason"].str().empty() ? status["phase"].str() : status["reason"].str();
}

Summary summarize(const json::Value& pod) {
  Summary result;
  result.status = first_status(pod);
  result.total = pod["spec"]["containers"].size();
  for (const auto& one : pod["spec"]["initContainers"].items())
    result.total += one["restartPolicy"].str() == "Always";
  Summary sidecars;
  std::string initializing = init_status(pod, result, sidecars);
  if (!initializing.empty()) result.status = initializing;
  if (initializing.empty() || has_condition(pod, "Initialized")) {
    result.restarts = sidecars.restarts;
    result.last_restart = sidecars.last_restart;
    add_containers(pod, result);
  }
  const std::string& phase = pod["status"]["phase"].str();
  if (pod["metadata"].contains("deletionTimestamp")) {
    if (pod["status"]["reason"].str() == "NodeLost") {
      result.status = "Unknown";
    } else if (phase != "Succeeded" && phase != "Failed") {
      result.status = "Terminating";
    }
  }
  return result;
}

std::string gates_of(const json::Value& pod) {
  const auto& gates = pod["spec"]["readinessGates"];
  if (gates.empty()) return "<none>";
  auto open = std::ranges::count_if(gates.items(), [&](const json::Value& gate) {
    return has_condition(pod, gate["conditionType"].str());
  });
  return fmt::format("{}/{}", open, gates.size());
}

json::Array pod_cells(const json::Value& pod, WallTime now) {
  Summary summary = summarize(pod);
  std::string restarts = std::to_string(summary.restarts);
  if (summary.restarts != 0 && !summary.last_restart.empty()) {
    restarts += fmt::format(" ({} ago)", age_since(summary.last_restart, now));
  }
  return {name_of(pod),
          fmt::format("{}/{}", summary.ready, summary.total),
          summary.status,
          restarts,
          age_of(pod, now),
          or_none(pod["status"]["podIPs"].at(0)["ip"].str_or(pod["status"]["podIP"].str())),
          or_none(pod["spec"]["nodeName"].str()),
          or_none(pod["status"]["nominatedNodeName"].str()),
          gates_of(pod)};
}

constexpr std::array kPrinters = std::to_array<Printer>({{"", "Pod", kColumns, pod_cells}});

}  // namespace

std::span<const Printer> pod_printers() {
  return kPrinters;
}

}  // namespace skiff::kube
