#include "platform/http/guard.h"

#include <algorithm>

#include "base/ip.h"
#include "base/strings.h"

namespace skiff::platform {

namespace {

constexpr std::string_view kVisitorField =
    "X-Skiff-Visitor";  // "<token> <address>", see the edge's platform_door.h
constexpr const char* kLoopback = "loopback";
constexpr size_t kHalf = 8;  // bytes of an IPv6 address that a network of one owner shares

std::string source_of(std::string_view text) {
  auto address = parse_ip(text);
  if (!address) return "unknown";
  if (address->is_loopback()) return kLoopback;
  if (!address->is_v4()) std::fill(address->bytes.begin() + kHalf, address->bytes.end(), 0);
  return address->text();
}

std::string_view without_port(std::string_view host, std::string_view port) {
  return host.ends_with(port) ? host.substr(0, host.size() - port.size()) : host;
}

}  // namespace

Visitor visitor_of(const net::Request& request, const std::string& edge_token) {
  const auto halves = split_once(request.headers.get(kVisitorField), " ");
  if (edge_token.empty() || !equals_constant_time(halves.before, edge_token)) return {false, kLoopback};
  return {true, source_of(halves.after)};
}

bool is_same_origin(const net::Request& request) {
  const auto site = request.headers.get("Sec-Fetch-Site");
  if (!site.empty()) return site == "same-origin" || site == "none";
  const auto origin = request.headers.find("Origin");
  if (!origin) return true;
  const auto halves = split_once(*origin, "://");
  const std::string_view port = halves.before == "https" ? ":443" : ":80";
  const auto host = request.headers.get("Host");
  return halves.found && !host.empty() &&
         equals_ignore_case(without_port(halves.after, port), without_port(host, port));
}

Attempts::Pace Attempts::pace_of(const std::string& source) {
  return source == kLoopback ? kLoopbackPace : kFarPace;
}

std::optional<Duration> Attempts::begin(const std::string& source, MonotonicTime now) {
  const Pace pace = pace_of(source);
  const auto known = due_.find(source);
  const MonotonicTime due = known == due_.end() ? now : std::max(known->second, now);
  const Duration wait = std::max(due - now - pace.step * (pace.burst - 1), Duration{});
  if (wait > kLongestWait) return std::nullopt;
  if (known == due_.end()) make_room(now);
  due_[source] = due + pace.step;
  return wait;
}

void Attempts::forgive(const std::string& source, MonotonicTime now) {
  const auto known = due_.find(source);
  if (known == due_.end()) return;
  known->second -= pace_of(source).step;
  if (known->second <= now) due_.erase(known);
}

void Attempts::make_room(MonotonicTime now) {
  if (due_.size() < kMaxSources) return;
  std::erase_if(due_, [now](const auto& entry) { return entry.second <= now; });
  if (due_.size() < kMaxSources) return;
  due_.erase(std::ranges::min_element(due_, {}, [](const auto& entry) { return entry.second; }));
}

}  // namespace skiff::platform
