#include "control/shared/objects.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/strings.h"

namespace skiff::control {

const std::string& name_of(const Value& object) {
  return object["metadata"]["name"].str();
}
const std::string& namespace_of(const Value& object) {
  return object["metadata"]["namespace"].str();
}
const std::string& uid_of(const Value& object) {
  return object["metadata"]["uid"].str();
}

std::string key_of(const Value& object) {
  const auto& ns = namespace_of(object);
  return ns.empty() ? name_of(object) : ns + "/" + name_of(object);
}

Key split_key(std::string_view key) {
  const auto halves = split_once(key, "/");
  if (!halves.found) return {"", std::string(key)};
  return {std::string(halves.before), std::string(halves.after)};
}

bool is_deleting(const Value& object) {
  return !object["metadata"]["deletionTimestamp"].empty();
}

std::string path_of(std::string_view api, std::string_view plural, std::string_view ns,
                    std::string_view name) {
  std::string path(api);
  if (!ns.empty()) path += "/namespaces/" + std::string(ns);
  path += "/" + std::string(plural);
  if (!name.empty()) path += "/" + std::string(name);
  return path;
}

const Value& controller_ref(const Value& object) {
  for (const auto& ref : object["metadata"]["ownerReferences"].items()) {
    if (ref["controller"].as_bool()) return ref;
  }
  static const Value kNone;
  return kNone;
}

Value make_controller_ref(const Value& owner, std::string_view api_version, std::string_view kind) {
  return Value::object({{"apiVersion", std::string(api_version)},
                        {"kind", std::string(kind)},
                        {"name", name_of(owner)},
                        {"uid", uid_of(owner)},
                        {"controller", true},
                        {"blockOwnerDeletion", true}});
}

const Value& find_condition(const Value& status, std::string_view type) {
  const Value& conditions = status.contains("status") && status["status"].is_object()
                                ? status["status"]["conditions"]
                                : status["conditions"];
  for (const auto& condition : conditions.items()) {
    if (condition["type"].str() == type) return condition;
  }
  static const Value kNone;
  return kNone;
}

std::string annotation(const Value& object, std::string_view key) {
  return object["metadata"]["annotations"][key].str();
}

std::optional<WallTime> read_time(const Value& text) {
  if (!text.is_string()) return std::nullopt;
  auto time = parse_rfc3339(text.str());
  if (!time) return std::nullopt;
  return *time;
}

bool is_pod_active(const Value& pod) {
  const auto& phase = pod["status"]["phase"].str();
  return phase != "Succeeded" && phase != "Failed" && !is_deleting(pod);
}

bool is_pod_ready(const Value& pod) {
  return find_condition(pod, "Ready")["status"].str() == "True";
}

bool is_pod_available(const Value& pod, int64_t min_ready_seconds, WallTime now) {
  if (!is_pod_ready(pod)) return false;
  if (min_ready_seconds <= 0) return true;
  const auto since = read_time(find_condition(pod, "Ready")["lastTransitionTime"]);
  return since && *since + std::chrono::seconds(min_ready_seconds) < now;
}

namespace {

std::optional<double> suffix_scale(std::string_view suffix) {
  constexpr std::string_view kDecimal = "kMGTPE";
  if (suffix.empty()) return 1.0;
  if (suffix == "n") return 1e-9;
  if (suffix == "u") return 1e-6;
  if (suffix == "m") return 1e-3;
  if (suffix == "Ki") return 1024.0;
  const auto at = kDecimal.find(suffix[0]);
  if (at == std::string_view::npos) return std::nullopt;
  if (suffix.size() == 1) return std::pow(1000.0, double(at + 1));
  if (suffix.size() == 2 && suffix[1] == 'i') return std::pow(1024.0, double(at + 1));
  return std::nullopt;
}

// What a member means by its place in the object.
enum class Place {
  kPlain,
  kStrings,    // a map of strings, in which "" is a value like others
  kResources,  // of a container
  kAmounts,    // limits or requests
};

Place place_of(const std::string& member, Place outer) {
  constexpr std::array<std::string_view, 6> kMaps = {"annotations",  "labels",  "matchLabels",
                                                     "nodeSelector", "options", "volumeAttributes"};
  if (outer == Place::kAmounts) return outer;
  if (outer == Place::kResources && (member == "limits" || member == "requests")) return Place::kAmounts;
  if (member == "resources") return Place::kResources;
  return std::ranges::find(kMaps, member) != kMaps.end() ? Place::kStrings : Place::kPlain;
}

struct CanonicalWriter {
  Amounts amounts;
  std::string out = {};

  void write(const Value& value, Place place) {
    if (value.is_object()) {
      write_object(value, place);
    } else if (value.is_array()) {
      out += '[';
      for (const auto& item : value.items()) {
        write(item, Place::kPlain);
        out += ',';
      }
      out += ']';
    } else {
      const bool by_value = place == Place::kAmounts && amounts == Amounts::kByValue;
      const auto milli = by_value ? parse_milli_quantity(value) : std::nullopt;
      out += milli ? std::to_string(*milli) : json::encode(value);
    }
  }
  void write_object(const Value& object, Place place) {
    std::vector<const json::Member*> members;
    for (const auto& member : object.members()) {
      const bool meant = place == Place::kStrings && member.second.is_string();
      if (meant || !member.second.empty()) members.push_back(&member);
    }
    std::ranges::sort(members, {}, [](const json::Member* m) -> const std::string& { return m->first; });
    out += '{';
    for (const auto* member : members) {
      json::encode_string_to(member->first, out);
      out += ':';
      write(member->second, place_of(member->first, place));
      out += ',';
    }
    out += '}';
  }
};

}  // namespace

std::optional<int64_t> parse_milli_quantity(const Value& quantity) {
  constexpr double kLargest = 9e18;
  if (quantity.is_number()) return int64_t(std::ceil(std::min(quantity.as_double() * 1000.0, kLargest)));
  const std::string_view text = quantity.str();
  const auto end = text.find_first_not_of("+-.0123456789");
  const auto digits = std::string(text.substr(0, end));
  auto suffix = end == std::string_view::npos ? std::string_view() : text.substr(end);
  if (digits.find_first_of("0123456789") == std::string::npos) return std::nullopt;
  std::optional<double> scale;
  if (suffix.size() > 1 && (suffix[0] == 'e' || suffix[0] == 'E')) {
    const auto exponent = parse_int(suffix[1] == '+' ? suffix.substr(2) : suffix.substr(1));
    if (exponent && *exponent > -20 && *exponent < 20) scale = std::pow(10.0, double(*exponent));
  } else {
    scale = suffix_scale(suffix);
  }
  if (!scale) return std::nullopt;
  const double milli = std::strtod(digits.c_str(), nullptr) * *scale * 1000.0;
  // A thousandth less than a whole number is rounding noise of the binary fraction, not a request.
  return int64_t(std::ceil(std::min(milli - 1e-6, kLargest)));
}

std::string canonical_text(const Value& value, Amounts amounts) {
  CanonicalWriter writer{amounts};
  writer.write(value, Place::kPlain);
  return std::move(writer.out);
}

}  // namespace skiff::control
