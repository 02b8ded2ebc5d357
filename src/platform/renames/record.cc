#include "platform/renames/record.h"

#include "platform/apps/manifests.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr const char* kFrom = "skiff.dev/renamed-from";
constexpr const char* kUid = "skiff.dev/renamed-uid";
constexpr const char* kPhase = "skiff.dev/rename-phase";
constexpr const char* kCopying = "copying";
constexpr const char* kMoved = "moved";

Value annotations_patch(Value annotations) {
  return Value::object({{"metadata", Value::object({{"annotations", std::move(annotations)}})}});
}

}  // namespace

Value claiming_namespace(const RenameRecord& record) {
  Value manifest = namespace_manifest(record.to);
  Value& annotations = manifest.edit("metadata").edit("annotations");
  annotations.set(kFrom, record.from);
  annotations.set(kUid, record.uid);
  annotations.set(kPhase, kCopying);
  return manifest;
}

std::optional<RenameRecord> parse_rename_record(const Value& name_space) {
  const Value& annotations = name_space["metadata"]["annotations"];
  if (!annotations.contains(kFrom)) return std::nullopt;
  const bool moved = annotations[kPhase].str() == kMoved;
  return RenameRecord{annotations[kFrom].str(), name_space["metadata"]["name"].str(), annotations[kUid].str(),
                      moved ? RenameRecord::Phase::kMoved : RenameRecord::Phase::kCopying};
}

Value moved_patch() {
  return annotations_patch(Value::object({{kPhase, kMoved}}));
}

Value ended_patch() {
  return annotations_patch(Value::object({{kFrom, nullptr}, {kUid, nullptr}, {kPhase, nullptr}}));
}

}  // namespace skiff::platform
