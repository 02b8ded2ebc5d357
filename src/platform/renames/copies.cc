#include "platform/renames/copies.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "platform/apps/manifests.h"
#include "platform/dynos/dyno_trouble.h"
#include "platform/images/layout_writer.h"
#include "platform/resources/build_records.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr const char* kIdAnnotation = "skiff.dev/id";
constexpr const char* kFormerNames = "skiff.dev/former-names";
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";  // has the old name

Value copy_metadata(const Value& object, const std::string& name, const std::string& to) {
  const Value& metadata = object["metadata"];
  Value labels = metadata["labels"].is_object() ? metadata["labels"] : Value::object();
  labels.set(kAppLabel, to);
  Value annotations = metadata["annotations"].is_object() ? metadata["annotations"] : Value::object();
  annotations.erase(kLastApplied);
  return Value::object({{"name", name}, {"namespace", to}, {"labels", labels}, {"annotations", annotations}});
}

std::string join_names(const Value& app, const std::string& from, const std::string& to) {
  auto names = former_names(app);
  names.push_back(from);
  std::erase(names, to);
  if (names.size() > kKeptNames) names.erase(names.begin());
  return join(names, ",");
}

std::map<std::string, int> count_ready(const std::vector<Value>& pods) {
  std::map<std::string, int> counts;
  for (const auto& pod : pods) {
    if (is_ready(pod)) ++counts[pod["metadata"]["labels"][kProcessLabel].str()];
  }
  return counts;
}

bool is_ours(std::string_view kind, const Value& object) {
  const Value& metadata = object["metadata"];
  if (!metadata["ownerReferences"].empty()) return true;  // goes and comes with its owner
  const Value& labels = metadata["labels"];
  if (labels.contains(kProcessLabel)) return true;
  return labels.contains(kAppLabel) && metadata["name"].str() == "web" &&
         (kind == "Service" || kind == "Ingress");
}

}  // namespace

Value copy_object(std::string_view kind, const Value& object, const std::string& from,
                  const std::string& to) {
  const bool app = kind == "App";
  Value metadata = copy_metadata(object, app ? to : object["metadata"]["name"].str(), to);
  Value& annotations = metadata.edit("annotations");
  annotations.set(kCreatedAtAnnotation, created_at(object));
  if (app) annotations.set(kIdAnnotation, app_id(object));
  if (app) annotations.set(kFormerNames, join_names(object, from, to));
  Value spec = object["spec"];
  const std::string& image = spec["image"].str();
  if (const std::string before = app_image_name(from, ""); image.starts_with(before)) {
    spec.set("image", app_image_name(to, image.substr(before.size())));
  }
  return Value::object({{"apiVersion", kResourceVersion},
                        {"kind", kind},
                        {"metadata", std::move(metadata)},
                        {"spec", std::move(spec)}});
}

Value copy_status(std::string_view kind, const Value& object, const std::string& to) {
  if (kind == "App") return nullptr;
  Value status = object["status"];
  if (status.contains("output")) {
    status.set("output", build_output_address(to, object["metadata"]["name"].str()));
  }
  return status;
}

Value copy_secret(const Value& secret, const std::string& to) {
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Secret"},
                        {"metadata", copy_metadata(secret, secret["metadata"]["name"].str(), to)},
                        {"immutable", true},
                        {"data", secret["data"].is_object() ? secret["data"] : Value::object()}});
}

const Value& app_id(const Value& app) {
  const Value& metadata = app["metadata"];
  const Value& kept = metadata["annotations"][kIdAnnotation];
  return kept.is_string() ? kept : metadata["uid"];
}

std::vector<std::string> former_names(const Value& app) {
  const std::string& text = app["metadata"]["annotations"][kFormerNames].str();
  return text.empty() ? std::vector<std::string>{} : split(text, ',');
}

std::vector<std::string> find_foreign(std::string_view kind, const std::vector<Value>& objects) {
  std::vector<std::string> names;
  for (const auto& object : objects) {
    if (!is_ours(kind, object)) names.push_back(fmt::format("{} {}", kind, object["metadata"]["name"].str()));
  }
  return names;
}

Takeover plan_takeover(const AppSpec& spec, const std::vector<Value>& old_pods,
                       const std::vector<Value>& new_pods) {
  using State = Takeover::State;
  auto before = count_ready(old_pods), now = count_ready(new_pods);
  bool ready = true;
  for (const auto& [type, quantity] : spec.formation) {
    ready = ready && now[type] >= std::min(before[type], quantity);
  }
  if (ready) return {State::kReady, ""};
  Takeover found;
  for (const auto& pod : new_pods) {
    if (pod["metadata"].contains("deletionTimestamp") || is_ready(pod)) continue;
    const DynoTrouble trouble = find_trouble(pod);
    const std::string why =
        name_of_dyno(pod) + ": " + (trouble.why.empty() ? "crashed and was started again" : trouble.why);
    if (has_failed(pod)) return {State::kFailed, why};
    if (trouble.kind == DynoTrouble::Kind::kNoRoom) found.state = State::kNoRoom;
    if (trouble.kind != DynoTrouble::Kind::kNone) found.why = why;
  }
  return found;
}

}  // namespace skiff::platform
