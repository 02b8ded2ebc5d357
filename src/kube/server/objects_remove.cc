// Deletion: grace, finalizers, propagation, preconditions (contracts 2.5).
#include <algorithm>

#include "kube/server/definition_status.h"
#include "kube/server/objects.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

constexpr int64_t kDefaultGrace = 30;  // seconds, of a pod that states none

bool is_core(const Kind& kind, std::string_view name) {
  return kind.group.empty() && kind.kind == name;
}

// Seconds until the object may go; 0 for everything but running pods.
int64_t grace_of(const Kind& kind, const json::Value& object, const DeleteOptions& options) {
  if (!is_core(kind, "Pod")) return 0;
  const std::string& phase = object["status"]["phase"].str();
  if (object["spec"]["nodeName"].str().empty() || phase == "Succeeded" || phase == "Failed") return 0;
  const int64_t grace =
      options.grace_seconds.value_or(object["spec"]["terminationGracePeriodSeconds"].as_int(kDefaultGrace));
  return grace < 0 ? 1 : grace;
}

void add_finalizer(json::Value& object, std::string_view name) {
  json::Value& list = object.edit("metadata").edit("finalizers");
  for (const auto& item : list.items()) {
    if (item.str() == name) return;
  }
  list.push_back(name);
}

void remove_finalizer(json::Value& object, std::string_view name) {
  json::Value& metadata = object.edit("metadata");
  json::Value kept = json::Value::array();
  for (const auto& item : metadata["finalizers"].items()) {
    if (item.str() != name) kept.push_back(item);
  }
  if (kept.empty()) {
    metadata.erase("finalizers");
  } else {
    metadata.set("finalizers", std::move(kept));
  }
}

void apply_propagation(json::Value& object, const std::string& policy) {
  if (policy.empty()) return;
  if (policy != "Foreground") remove_finalizer(object, "foregroundDeletion");
  if (policy != "Orphan") remove_finalizer(object, "orphan");
  if (policy == "Foreground") add_finalizer(object, "foregroundDeletion");
  if (policy == "Orphan") add_finalizer(object, "orphan");
}

// True when nothing is left to do but removing it.
bool mark_deleted(const Kind& kind, json::Value& object, const DeleteOptions& options, WallTime now) {
  const int64_t grace = grace_of(kind, object, options);
  apply_propagation(object, options.propagation);
  if (is_definition(kind) && object["metadata"]["deletionTimestamp"].is_null()) mark_terminating(object, now);
  json::Value& metadata = object.edit("metadata");
  const bool held = !metadata["finalizers"].empty() ||
                    (is_core(kind, "Namespace") && !object["spec"]["finalizers"].empty());
  if (!held && grace == 0) return true;
  const bool first = metadata["deletionTimestamp"].is_null();
  if (first || grace < metadata["deletionGracePeriodSeconds"].as_int()) {
    metadata.set("deletionTimestamp", format_rfc3339(now + std::chrono::seconds(grace)));
    metadata.set("deletionGracePeriodSeconds", grace);
  }
  if (first && metadata.contains("generation"))
    metadata.set("generation", metadata["generation"].as_int() + 1);
  if (is_core(kind, "Namespace")) object.edit("status").set("phase", "Terminating");
  return false;
}

Error unmet(const Target& target, const char* what, const std::string& wanted, const std::string& found,
            const char* cause) {
  const Kind& kind = *target.kind;
  json::Value details = json::Value::object({{"name", target.name}});
  if (!kind.group.empty()) details.set("group", kind.group);
  details.set("kind", kind.kind);
  const std::string full = kind.group.empty() ? kind.kind : kind.kind + "." + kind.group;
  const std::string text = "Operation cannot be fulfilled on " + full + " \"" + target.name + "\": the " +
                           what + " in the precondition (" + wanted + ") does not match the " + what +
                           " in record (" + found + "). The object might have been " + cause;
  return make_status_error(409, "Conflict", text, std::move(details));
}

Result<void> check_preconditions(const Target& target, const json::Value& object,
                                 const DeleteOptions& options) {
  const std::string& uid = object["metadata"]["uid"].str();
  if (!options.uid.empty() && options.uid != uid)
    return std::unexpected(unmet(target, "UID", options.uid, uid, "deleted and then recreated"));
  const std::string& revision = object["metadata"]["resourceVersion"].str();
  if (!options.resource_version.empty() && options.resource_version != revision)
    return std::unexpected(unmet(target, "ResourceVersion", options.resource_version, revision, "modified"));
  return {};
}

}  // namespace

io::Task<Result<Deleted>> Objects::erase(Target target, json::Value last) {
  auto shared = std::make_shared<json::Value>(last);
  store::Write write;
  write.key = object_path(target);
  write.remove = true;
  write.expect = store::Expect::at(revision_of(last));
  write.encode = encoder(target.kind, shared);
  auto written = co_await store_.write(std::move(write));
  if (!written) {
    if (written.error().code == Code::kConflict) co_return std::unexpected(stale(*target.kind, target.name));
    if (written.error().code == Code::kNotFound) {
      co_return std::unexpected(not_found(target.kind->group, target.kind->plural, target.name));
    }
    co_return std::unexpected(written.error());
  }
  co_return Deleted{*shared, true};
}

io::Task<Result<Deleted>> Objects::remove(Target target, DeleteOptions options) {
  for (;;) {
    auto before = get(target);
    if (!before) co_return std::unexpected(before.error());
    static constexpr std::string_view kKept[] = {"default", "kube-system", "kube-public"};
    if (is_core(*target.kind, "Namespace") && std::ranges::find(kKept, target.name) != std::end(kKept)) {
      co_return std::unexpected(
          forbidden("", "namespaces", target.name, "this namespace may not be deleted"));
    }
    auto allowed = check_preconditions(target, *before, options);
    SKIFF_CO_RETURN_IF_ERROR(allowed);
    json::Value after = *before;
    const bool gone = mark_deleted(*target.kind, after, options, loop_.wall_now());
    if (options.dry_run) co_return Deleted{*before, gone};
    if (gone) {
      const bool was_terminating = !(*before)["metadata"]["deletionTimestamp"].is_null();
      if (was_terminating && (*before)["metadata"]["deletionGracePeriodSeconds"].as_int() > 0) {
        // The node agent's last word on a pod: watchers see the grace end before the pod goes.
        after.edit("metadata").set("deletionGracePeriodSeconds", 0);
        auto marked = co_await put(target, after, store::Expect::at(revision_of(*before)));
        if (!marked && marked.error().code == Code::kConflict) continue;
        if (!marked) co_return std::unexpected(marked.error());
        after = std::move(*marked);
      }
      auto erased = co_await erase(target, after);
      if (erased || erased.error().code != Code::kConflict) co_return erased;
      continue;
    }
    if (after == *before) co_return Deleted{after, false};
    auto written = co_await put(target, after, store::Expect::at(revision_of(*before)));
    if (written) co_return Deleted{std::move(*written), false};
    if (written.error().code != Code::kConflict) co_return std::unexpected(written.error());
  }
}

}  // namespace skiff::kube
