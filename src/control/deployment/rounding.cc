#include "control/deployment/rounding.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/strings.h"

namespace skiff::control {

namespace {

enum class Round { kUp, kDown };

int64_t resolve(const Value& value, int64_t replicas, Round round) {
  if (value.is_number()) return value.as_int();
  const std::string& text = value.str();
  if (text.empty()) return 0;
  if (text.back() != '%') return parse_int(text).value_or(0);
  const auto percent = parse_int(std::string_view(text).substr(0, text.size() - 1)).value_or(0);
  return round == Round::kUp ? (percent * replicas + 99) / 100 : percent * replicas / 100;
}

}  // namespace

Bounds resolve_bounds(const Value& max_surge, const Value& max_unavailable, int64_t replicas) {
  Bounds out{resolve(max_surge, replicas, Round::kUp), resolve(max_unavailable, replicas, Round::kDown)};
  if (out.surge == 0 && out.unavailable == 0) out.unavailable = 1;
  return out;
}

Bounds deployment_bounds(const Value& deployment) {
  const auto& strategy = deployment["spec"]["strategy"];
  const auto desired = deployment["spec"]["replicas"].as_int(1);
  if (strategy["type"].str_or("RollingUpdate") != "RollingUpdate") return {};
  const auto& rolling = strategy["rollingUpdate"];
  const Value kDefault("25%");
  auto out =
      resolve_bounds(rolling.contains("maxSurge") ? rolling["maxSurge"] : kDefault,
                     rolling.contains("maxUnavailable") ? rolling["maxUnavailable"] : kDefault, desired);
  out.unavailable = std::min(out.unavailable, desired);
  return out;
}

int64_t next_new_replicas(const NewReplicas& in) {
  if (in.current > in.desired) return in.desired;
  const auto room = in.desired + in.surge - in.total;
  if (room <= 0) return in.current;
  return in.current + std::min(room, in.desired - in.current);
}

std::vector<int64_t> next_old_replicas(const ScaleDown& in) {
  std::vector<int64_t> sizes;
  int64_t total = in.fresh.spec;
  for (const auto& set : in.old) {
    sizes.push_back(set.spec);
    total += set.spec;
  }
  const auto min_available = in.desired - in.unavailable;
  // Pods beyond the size are on their way out, though the status still counts them.
  const auto fresh_available = std::min(in.fresh.available, in.fresh.spec);
  const auto max_down = total - min_available - (in.fresh.spec - fresh_available);
  if (total == in.fresh.spec || max_down <= 0) return sizes;
  // More available than wanted means that an earlier scale-down has not reached the status yet: counting
  // those pods again would take too many.
  for (const auto& set : in.old) {
    if (set.spec != 0 && set.available > set.spec) return sizes;
  }

  int64_t done = 0;
  int64_t available = fresh_available;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto& set = in.old[i];
    if (set.spec != 0 && set.spec != set.available && done < max_down) {
      const auto down = std::min(max_down - done, set.spec - set.available);
      if (down > 0) {
        sizes[i] -= down;
        done += down;
      }
    }
    available += std::min(set.available, set.spec);
  }
  auto budget = available - min_available;
  for (auto& size : sizes) {
    if (budget <= 0) break;
    const auto down = std::min(size, budget);
    size -= down;
    budget -= down;
  }
  return sizes;
}

std::vector<int64_t> scale_proportionally(const ProportionalScale& in) {
  std::vector<int64_t> sizes;
  for (const auto& set : in.sets) sizes.push_back(set.spec);
  const auto total = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  const auto allowed = in.desired > 0 ? in.desired + in.surge : 0;
  const auto add = allowed - total;
  if (add == 0 || sizes.empty()) return sizes;

  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) {
    const auto& x = in.sets[a];
    const auto& y = in.sets[b];
    if (x.spec != y.spec) return x.spec > y.spec;
    if (x.created != y.created) return add > 0 ? x.created > y.created : x.created < y.created;
    return a < b;
  });
  int64_t given = 0;
  for (const auto i : order) {
    const auto& set = in.sets[i];
    int64_t fraction = 0;
    const auto base = set.max_replicas > 0 ? set.max_replicas : in.status_replicas;
    if (in.desired == 0) {
      fraction = -set.spec;
    } else if (base > 0) {
      fraction = std::llround(double(set.spec) * double(in.desired + in.surge) / double(base)) - set.spec;
    }
    const auto part = add > 0 ? std::min(fraction, add - given) : std::max(fraction, add - given);
    sizes[i] += part;
    given += part;
  }
  auto& first = sizes[order.front()];
  first = std::max<int64_t>(0, first + add - given);
  return sizes;
}

}  // namespace skiff::control
