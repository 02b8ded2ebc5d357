// Reading and writing the parts that every Kubernetes object has: names, owners, conditions, quantities.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"

namespace skiff::control {

using json::Value;

const std::string& name_of(const Value& object);
const std::string& namespace_of(const Value& object);
const std::string& uid_of(const Value& object);
// "namespace/name", or "name" for an object without namespace.
std::string key_of(const Value& object);
struct Key {
  std::string ns, name;
};
Key split_key(std::string_view key);
bool is_deleting(const Value& object);

// "/api/v1/namespaces/shop/pods/web-1"; `api` is "/api/v1" or "/apis/apps/v1"; empty parts are left out.
std::string path_of(std::string_view api, std::string_view plural, std::string_view ns,
                    std::string_view name = "");

// The owner reference with controller: true, or null.
const Value& controller_ref(const Value& object);
Value make_controller_ref(const Value& owner, std::string_view api_version, std::string_view kind);

// The condition of this type in object.status.conditions (or in a bare status), or null.
const Value& find_condition(const Value& status, std::string_view type);

std::string annotation(const Value& object, std::string_view key);

// The time in `text`, if it is one.
std::optional<WallTime> read_time(const Value& text);

bool is_pod_active(const Value& pod);
bool is_pod_ready(const Value& pod);
// Ready for at least `min_ready_seconds`.
bool is_pod_available(const Value& pod, int64_t min_ready_seconds, WallTime now);

// A Kubernetes quantity ("250m", "1Gi", 2) in thousandths, rounded up; nothing when malformed.
std::optional<int64_t> parse_milli_quantity(const Value& quantity);

// How a container's limits and requests are told apart: "1Gi" and "1073741824" are one value, and two texts.
enum class Amounts { kByValue, kByText };
// The same text for objects that mean the same: members sorted, null and empty ones dropped (but for "" in
// labels, annotations and other maps of strings).
std::string canonical_text(const Value& value, Amounts amounts = Amounts::kByValue);

}  // namespace skiff::control
