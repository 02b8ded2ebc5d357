#include "kube/server/target_rules.h"

#include "base/strings.h"
#include "kube/server/object_rules.h"
#include "kube/server/status.h"

namespace skiff::kube {

Result<void> fit_to_target(const Target& target, json::Value& object) {
  // A patch must not turn an object into one of another kind.
  const Kind& kind = *target.kind;
  if (object["kind"].str_or(kind.kind) != kind.kind ||
      object["apiVersion"].str_or(kind.api_version()) != kind.api_version()) {
    return std::unexpected(bad_request("the object is a " + object["apiVersion"].str() + " " +
                                       object["kind"].str() + ", this path holds " + kind.api_version() +
                                       " " + kind.kind));
  }
  json::Value& metadata = object.edit("metadata");
  if (!target.kind->namespaced) {
    metadata.erase("namespace");
  } else {
    const std::string given = metadata["namespace"].str();
    if (!given.empty() && given != target.name_space) {
      return std::unexpected(bad_request(
          "the namespace of the provided object does not match the namespace sent on the request"));
    }
    metadata.set("namespace", target.name_space);
  }
  const std::string given = metadata["name"].str();
  if (target.name.empty() || given == target.name) return {};
  return std::unexpected(bad_request("the name of the object (" + given +
                                     ") does not match the name on the URL (" + target.name + ")"));
}

Result<void> check_seen(const Target& target, const json::Value& after, const json::Value& before) {
  const json::Value& now = before["metadata"];
  const json::Value& said = after["metadata"];
  const std::string revision = said["resourceVersion"].str();
  const bool digits = revision.find_first_not_of("0123456789") == std::string::npos;
  if (!revision.empty() && !parse_uint(revision) && !digits) {
    return std::unexpected(make_status_error(
        500, "", "strconv.ParseUint: parsing " + json::encode(revision) + ": invalid syntax"));
  }
  if (!before.is_null() && !revision.empty() && revision != now["resourceVersion"].str()) {
    return std::unexpected(stale(*target.kind, target.name));
  }
  const std::string uid = said["uid"].str();
  if (uid.empty() || uid == now["uid"].str()) return {};
  return std::unexpected(conflict(
      *target.kind, target.name,
      "StorageError: invalid object, Code: 4, Key: /registry/" + target.kind->plural + "/" +
          (target.name_space.empty() ? "" : target.name_space + "/") + target.name +
          ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " + uid +
          ", UID in object meta: " + now["uid"].str()));
}

Result<void> check_has_revision(const Target& target, const json::Value& object) {
  if (!needs_revision(*target.kind) || !object["metadata"]["resourceVersion"].str().empty()) return {};
  const FieldError error{"FieldValueInvalid", "metadata.resourceVersion",
                         "Invalid value: 0x0: must be specified for an update"};
  return std::unexpected(invalid(target.kind->group, target.kind->plural, target.name, {error}));
}

}  // namespace skiff::kube
