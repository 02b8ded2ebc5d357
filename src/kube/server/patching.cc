// PATCH of objects: the three patches, and what a patched object that cannot be is called (contracts 2.7).
#include <algorithm>

#include "base/strings.h"
#include "kube/patch/patch.h"
#include "kube/server/routes.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

// A patch as it arrived; what is wrong with it is said after the object was found.
struct Patch {
  PatchType type = PatchType::kMerge;
  std::string text;
};

Result<json::Value> parse_patch(const Patch& patch) {
  auto value = json::parse(patch.text);
  if (!value) {
    const char* head = patch.type == PatchType::kStrategicMerge ? "" : "error decoding patch: ";
    return std::unexpected(bad_request(head + value.error().message));
  }
  const bool list = patch.type == PatchType::kJson;
  if (list ? value->is_array() : value->is_object()) return value;
  const std::string_view got = value->is_array()    ? "array"
                               : value->is_object() ? "object"
                               : value->is_string() ? "string"
                               : value->is_bool()   ? "bool"
                                                    : "number";
  return std::unexpected(bad_request("error decoding patch: json: cannot unmarshal " + std::string(got) +
                                     " into Go value of type " +
                                     (list ? "[]handlers.jsonPatchOp" : "map[string]interface {}")));
}

Error patch_error(const Error& error) {
  switch (error.code) {
    case Code::kNotFound:
      return make_status_error(422, "Invalid",
                               "the server rejected our request due to an error in our request",
                               json::Value::object());
    case Code::kResourceExhausted:
      return make_status_error(413, "RequestEntityTooLarge", "Request entity too large: " + error.message);
    case Code::kInternal:
      return make_status_error(500, "", error.message);
    default:
      return bad_request(error.message);
  }
}

Result<json::Value> apply_patch(const Kind& kind, PatchType type, const json::Value& current,
                                const json::Value& patch) {
  Result<json::Value> out = current;
  switch (type) {
    case PatchType::kMerge:
      out = apply_merge_patch(current, patch);
      break;
    case PatchType::kJson:
      out = apply_json_patch(current, patch);
      break;
    case PatchType::kStrategicMerge:
      out = apply_strategic_merge_patch(*kind.type, current, patch);
      break;
  }
  if (!out) return std::unexpected(patch_error(out.error()));
  return out;
}

// "cannot restore map from string": what upstream says where a strategic patch puts a value of another type.
std::string restore_words(std::string_view why) {
  constexpr std::string_view kHead = "json: cannot unmarshal ", kType = " of type ";
  const size_t type_at = why.rfind(kType);
  if (!why.starts_with(kHead) || type_at == std::string_view::npos) return std::string(why);
  const std::string got(split_once(why.substr(kHead.size()), " ").before);
  const std::string_view type = why.substr(type_at + kType.size());
  const std::string_view wanted = type.starts_with("map[") ? "map"
                                  : type.starts_with("[]") ? "slice"
                                                           : "struct";
  return "cannot restore " + std::string(wanted) + " from " + got;
}

// The patched object cannot be one of the kind. A strategic patch is shown itself, others by what they made.
Error unfit(PatchType type, const json::Value& patch, json::Value patched, const std::string& why) {
  std::string shown = print_go(patch);
  if (type != PatchType::kStrategicMerge) {
    std::ranges::sort(patched.edit_members(), {}, &json::Member::first);
    shown = json::encode(patched);
  }
  return invalid("", "", "",
                 {{"FieldValueInvalid", "patch", "Invalid value: " + json::encode(shown) + ": " + why}});
}

Result<json::Value> patch_object(Exchange& exchange, const Kind& kind, const Patch& patch,
                                 const json::Value& current) {
  auto value = parse_patch(patch);
  if (!value) return value;
  auto patched = apply_patch(kind, patch.type, current, *value);
  if (!patched) return patched;
  auto checked = conform(kind, *patched);
  if (!checked) {
    const std::string head =
        kind.kind + " in version \"" + kind.version + "\" cannot be handled as a " + kind.kind + ": ";
    std::string why = checked.error().message;
    if (why.starts_with(head)) why.erase(0, head.size());
    if (patch.type == PatchType::kStrategicMerge) why = restore_words(why);
    return std::unexpected(unfit(patch.type, *value, std::move(*patched), why));
  }
  if (judge_fields(exchange, checked->strict_findings) == FieldVerdict::kRefused) {
    return std::unexpected(unfit(patch.type, *value, std::move(*patched),
                                 "strict decoding error: " + join(checked->strict_findings, ", ")));
  }
  const bool same_kind =
      (*patched)["kind"] == current["kind"] && (*patched)["apiVersion"] == current["apiVersion"];
  if (!same_kind) {
    return std::unexpected(unfit(patch.type, *value, std::move(*patched),
                                 "a patch cannot make a " + kind.kind + " an object of another kind"));
  }
  json::Value& metadata = checked->object.edit("metadata");
  // A patch that says nothing of the revision has no precondition.
  if (metadata["resourceVersion"] == current["metadata"]["resourceVersion"])
    metadata.erase("resourceVersion");
  return std::move(checked->object);
}

std::optional<PatchType> patch_type(std::string_view media) {
  if (media == "application/json-patch+json") return PatchType::kJson;
  if (media == "application/merge-patch+json") return PatchType::kMerge;
  if (media == "application/strategic-merge-patch+json") return PatchType::kStrategicMerge;
  return std::nullopt;
}

}  // namespace

io::Task<Result<Objects::Change>> read_patch(Exchange& exchange, KindPtr kind) {
  const std::string media =
      to_lower(trim(split_once(exchange.request.headers.get("Content-Type"), ";").before));
  const auto type = patch_type(media);
  if (!type && media != "application/apply-patch+yaml")
    co_return std::unexpected(make_status_error(415, "UnsupportedMediaType", "415: Unsupported Media Type"));
  if (!type || (*type == PatchType::kStrategicMerge && kind->custom))
    co_return std::unexpected(unsupported_patch(kind->custom));
  auto body = co_await read_body(exchange);
  if (!body) co_return std::unexpected(body.error());
  auto* state = &exchange;  // outlives the change: it is used before the answer is sent
  co_return Objects::Change(
      [state, kind, patch = Patch{*type, std::move(*body)}](const json::Value& current) {
        return patch_object(*state, *kind, patch, current);
      });
}

io::Task<void> serve_patch(Exchange& exchange) {
  auto options = write_options(exchange, "PatchOptions");
  if (!options) {
    co_await send_error(exchange, options.error());
    co_return;
  }
  auto change = co_await read_patch(exchange, exchange.kind);
  if (!change) {
    co_await send_error(exchange, change.error());
    co_return;
  }
  auto patched = co_await exchange.objects.modify(exchange.target(), std::move(*change), *options);
  if (!patched) {
    co_await send_error(exchange, patched.error());
    co_return;
  }
  co_await send_object(exchange, 200, std::move(*patched));
}

}  // namespace skiff::kube
