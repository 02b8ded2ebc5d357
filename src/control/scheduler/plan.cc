#include "control/scheduler/plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "control/shared/tolerations.h"

namespace skiff::control {

namespace {

// Of a container's requests or a node's allocatable.
Usage read_amounts(const Value& amounts) {
  constexpr int64_t kMost = 1'000'000'000'000'000;  // a thousand of them can be added
  Usage out;
  for (const auto& [name, amount] : amounts.members()) {
    const auto milli = parse_milli_quantity(amount).value_or(0);
    const auto whole = std::min(milli / 1000 + (milli % 1000 > 0), kMost);
    if (name == "cpu") {
      out.milli_cpu = std::min(milli, kMost);
    } else if (name == "memory") {
      out.memory = whole;
    } else if (name == "pods") {
      out.pods = whole;
    } else {
      out.others[name] = whole;
    }
  }
  return out;
}

Usage container_requests(const Value& container) {
  return read_amounts(container["resources"]["requests"]);
}

void raise_to(Usage& sum, const Usage& part) {
  sum.milli_cpu = std::max(sum.milli_cpu, part.milli_cpu);
  sum.memory = std::max(sum.memory, part.memory);
  for (const auto& [name, amount] : part.others) sum.others[name] = std::max(sum.others[name], amount);
}

// 0 for what is not there.
int64_t amount_of(const Usage& usage, const std::string& name) {
  const auto found = usage.others.find(name);
  return found == usage.others.end() ? 0 : found->second;
}

bool matches_expression(const Value& labels, const Value& expression) {
  const auto& op = expression["operator"].str();
  const auto& value = labels[expression["key"].str()];
  const auto& values = expression["values"].items();
  const bool listed = value.is_string() && std::ranges::find(values, value) != values.end();
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  if (op == "Exists") return value.is_string();
  if (op == "DoesNotExist") return !value.is_string();
  const auto have = std::strtoll(value.str().c_str(), nullptr, 10);
  const auto want = values.empty() ? 0 : std::strtoll(values[0].str().c_str(), nullptr, 10);
  return value.is_string() && !values.empty() && (op == "Gt" ? have > want : op == "Lt" && have < want);
}

bool matches_node(const Value& pod, const Value& node) {
  const auto& labels = node["metadata"]["labels"];
  for (const auto& [key, value] : pod["spec"]["nodeSelector"].members()) {
    if (!(labels[key] == value)) return false;
  }
  const auto& terms = pod["spec"]["affinity"]["nodeAffinity"]
                         ["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
  if (terms.size() == 0) return true;
  const Value node_fields = Value::object({{"metadata.name", name_of(node)}});  // all that upstream knows
  return std::ranges::any_of(terms.items(), [&](const Value& term) {
    const auto& expressions = term["matchExpressions"].items();
    const auto& fields = term["matchFields"].items();
    const bool asks = !expressions.empty() || !fields.empty();
    const auto of_labels = [&](const Value& expression) { return matches_expression(labels, expression); };
    const auto of_node = [&](const Value& field) { return matches_expression(node_fields, field); };
    return asks && std::ranges::all_of(expressions, of_labels) && std::ranges::all_of(fields, of_node);
  });
}

std::vector<std::string> refuse(std::string reason) {
  return {std::move(reason)};
}

// Why not, in upstream's words; none when the node fits.
std::vector<std::string> refusals(const Value& pod, const Room& room, const Usage& asked) {
  const auto& spec = room.node["spec"];
  if (spec["unschedulable"].as_bool() &&
      !pod_tolerates(
          pod, Value::object({{"key", "node.kubernetes.io/unschedulable"}, {"effect", "NoSchedule"}}))) {
    return refuse("node(s) were unschedulable");
  }
  for (const auto& taint : spec["taints"].items()) {
    if (taint["effect"].str() == "PreferNoSchedule" || pod_tolerates(pod, taint)) continue;
    return refuse(
        fmt::format("node(s) had untolerated taint {{{}: {}}}", taint["key"].str(), taint["value"].str()));
  }
  if (!matches_node(pod, room.node)) return refuse("node(s) didn't match Pod's node affinity/selector");
  const auto& used = room.used;
  const auto& has = room.allocatable;
  std::vector<std::string> out;
  if (used.pods + 1 > has.pods) out.push_back("Too many pods");
  if (asked.milli_cpu > 0 && used.milli_cpu + asked.milli_cpu > has.milli_cpu)
    out.push_back("Insufficient cpu");
  if (asked.memory > 0 && used.memory + asked.memory > has.memory) out.push_back("Insufficient memory");
  for (const auto& [name, amount] : asked.others) {
    if (amount > 0 && amount_of(used, name) + amount > amount_of(has, name))
      out.push_back("Insufficient " + name);
  }
  return out;
}

// How full the node would be, in thousandths; lower is better.
int64_t fullness(const Room& room, const Usage& asked) {
  const auto share = [](int64_t part, int64_t whole) {
    return int64_t(1000.0 * double(part) / double(std::max<int64_t>(1, whole)));
  };
  return share(room.used.milli_cpu + asked.milli_cpu, room.allocatable.milli_cpu) +
         share(room.used.memory + asked.memory, room.allocatable.memory);
}

std::string explain(const Value& pod, const std::map<std::string, Room>& rooms, const Usage& asked) {
  if (rooms.empty()) return "no nodes available to schedule pods";
  std::map<std::string, int> reasons;
  for (const auto& [name, room] : rooms) {
    for (const auto& reason : refusals(pod, room, asked)) ++reasons[reason];
  }
  std::vector<std::string> words;
  for (const auto& [reason, count] : reasons) words.push_back(fmt::format("{} {}", count, reason));
  std::ranges::sort(words);
  return fmt::format("0/{} nodes are available: {}.", rooms.size(), fmt::join(words, ", "));
}

}  // namespace

void Usage::add(const Usage& part, int sign) {
  milli_cpu += sign * part.milli_cpu;
  memory += sign * part.memory;
  pods += sign * part.pods;
  for (const auto& [name, amount] : part.others) others[name] += sign * amount;
}

Usage requests_of(const Value& pod) {
  Usage sum;
  for (const auto& container : pod["spec"]["containers"].items()) sum.add(container_requests(container), 1);
  Usage sidecars;
  for (const auto& container : pod["spec"]["initContainers"].items()) {
    const auto part = container_requests(container);
    if (container["restartPolicy"].str() == "Always") {
      sidecars.add(part, 1);
    } else {
      raise_to(sum, part);
    }
  }
  sum.add(sidecars, 1);
  sum.pods = 1;
  return sum;
}

Room::Room(Value given) : node(std::move(given)), allocatable(read_amounts(node["status"]["allocatable"])) {}

Placement place_pod(const Value& pod, const std::map<std::string, Room>& rooms) {
  const auto asked = requests_of(pod);
  const std::string* best = nullptr;
  std::pair<int64_t, int64_t> best_score;
  for (const auto& [name, room] : rooms) {
    const auto score = std::pair(fullness(room, asked), room.used.pods);
    // The cheaper question first: most nodes are not better than the best so far.
    if (best && score >= best_score) continue;
    if (!refusals(pod, room, asked).empty()) continue;
    best = &name;
    best_score = score;
  }
  if (best) return {*best, ""};
  return {"", explain(pod, rooms, asked)};
}

bool gives_hope(const Value& before, const Value& after) {
  return !after.is_null() && (!(before["spec"] == after["spec"]) ||
                              !(before["metadata"]["labels"] == after["metadata"]["labels"]) ||
                              !(before["status"]["allocatable"] == after["status"]["allocatable"]));
}

}  // namespace skiff::control
