// POST, PUT, PATCH of objects: bodies, field validation, dry run (contracts 2.6, 2.7).
#include "base/strings.h"
#include "kube/patch/patch.h"
#include "kube/server/definition_status.h"
#include "kube/server/routes.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

std::optional<MediaType> media_type(std::string_view content_type) {
  const std::string media = to_lower(trim(split_once(content_type, ";").before));
  if (media.empty() || media == "application/json" || media == "text/plain") return MediaType::kJson;
  if (media == "application/yaml" || media == "text/yaml") return MediaType::kYaml;
  if (media == "application/vnd.kubernetes.protobuf") return MediaType::kProtobuf;
  return std::nullopt;
}

// ?fieldValidation decides what unknown and duplicate fields are.
Result<void> judge(Exchange& exchange, const Kind& kind, const std::vector<std::string>& findings) {
  const std::string mode = exchange.query("fieldValidation");
  if (findings.empty() || mode == "Ignore") return {};
  if (mode == "Strict") {
    return std::unexpected(bad_request(kind.kind + " in version \"" + kind.version +
                                       "\" cannot be handled as a " + kind.kind +
                                       ": strict decoding error: " + join(findings, ", ")));
  }
  exchange.warnings.insert(exchange.warnings.end(), findings.begin(), findings.end());
  return {};
}

// A body-level error keeps its Status; others are the client's fault.
Error as_bad_request(const Error& error) {
  return error.details ? error : bad_request(error.message);
}

Error patch_error(const Error& error) {
  if (error.details) return error;
  if (error.code == Code::kNotFound) {
    return make_status_error(422, "Invalid", "the server rejected our request due to an error in our request",
                             json::Value::object());
  }
  if (error.code == Code::kResourceExhausted) {
    return make_status_error(413, "RequestEntityTooLarge", error.message);
  }
  return bad_request(error.message);
}

}  // namespace

Result<WriteOptions> write_options(const Exchange& exchange, std::string_view options_kind) {
  WriteOptions options;
  options.user = exchange.user;
  options.subresource = exchange.info.subresource;
  const auto dry_run = exchange.query("dryRun");
  options.dry_run = dry_run == "All";
  if (!dry_run.empty() && !options.dry_run) {
    return std::unexpected(
        invalid("meta.k8s.io", std::string(options_kind), "",
                {{"FieldValueNotSupported", "dryRun",
                  "Unsupported value: [\"" + dry_run + "\"]: supported values: \"All\""}}));
  }
  return options;
}

io::Task<Result<json::Value>> read_object(Exchange& exchange, const Kind& kind) {
  const auto media = media_type(exchange.request.headers.get("Content-Type"));
  if (!media) co_return std::unexpected(unsupported_body());
  auto body = co_await read_body(exchange);
  if (!body) co_return std::unexpected(body.error());
  auto decoded = decode(exchange.objects.registry(), kind, *media, *body);
  if (!decoded) co_return std::unexpected(as_bad_request(decoded.error()));
  auto fine = judge(exchange, kind, decoded->strict_findings);
  SKIFF_CO_RETURN_IF_ERROR(fine);
  if (is_definition(kind)) {
    for (auto& text : definition_warnings(decoded->object)) exchange.warnings.push_back(std::move(text));
  }
  co_return std::move(decoded->object);
}

io::Task<void> serve_create(Exchange& exchange) {
  if (!exchange.info.name.empty() || (exchange.kind->namespaced && exchange.info.name_space.empty())) {
    co_await send_error(exchange, method_not_allowed());
    co_return;
  }
  auto options = write_options(exchange, "CreateOptions");
  if (!options) {
    co_await send_error(exchange, options.error());
    co_return;
  }
  auto object = co_await read_object(exchange, *exchange.kind);
  if (!object) {
    co_await send_error(exchange, object.error());
    co_return;
  }
  auto created = co_await exchange.objects.create(exchange.target(), std::move(*object), *options);
  if (!created) {
    co_await send_error(exchange, created.error());
    co_return;
  }
  co_await send_object(exchange, 201, std::move(*created));
}

io::Task<void> serve_update(Exchange& exchange) {
  auto options = write_options(exchange, "UpdateOptions");
  if (!options) {
    co_await send_error(exchange, options.error());
    co_return;
  }
  auto object = co_await read_object(exchange, *exchange.kind);
  if (!object) {
    co_await send_error(exchange, object.error());
    co_return;
  }
  auto updated = co_await exchange.objects.update(exchange.target(), std::move(*object), *options);
  if (!updated) {
    co_await send_error(exchange, updated.error());
    co_return;
  }
  co_await send_object(exchange, 200, std::move(*updated));
}

Result<json::Value> apply_patch_to(const Kind& kind, PatchType type, const json::Value& current,
                                   const json::Value& patch) {
  switch (type) {
    case PatchType::kMerge:
      return apply_merge_patch(current, patch);
    case PatchType::kJson: {
      auto out = apply_json_patch(current, patch);
      if (!out) return std::unexpected(patch_error(out.error()));
      return out;
    }
    case PatchType::kStrategicMerge: {
      if (kind.custom || !kind.type) return std::unexpected(unsupported_patch(true));
      auto out = apply_strategic_merge_patch(*kind.type, current, patch);
      if (!out) return std::unexpected(patch_error(out.error()));
      return out;
    }
  }
  return current;
}

io::Task<Result<Objects::Change>> read_patch(Exchange& exchange, KindPtr kind) {
  const std::string media =
      to_lower(trim(split_once(exchange.request.headers.get("Content-Type"), ";").before));
  PatchType type = PatchType::kMerge;
  if (media == "application/json-patch+json") {
    type = PatchType::kJson;
  } else if (media == "application/strategic-merge-patch+json" && !kind->custom) {
    type = PatchType::kStrategicMerge;
  } else if (media != "application/merge-patch+json") {
    co_return std::unexpected(unsupported_patch(kind->custom));
  }
  auto body = co_await read_body(exchange);
  if (!body) co_return std::unexpected(body.error());
  auto patch = json::parse(*body);
  if (!patch) co_return std::unexpected(bad_request(patch.error().message));
  auto* state = &exchange;  // outlives the change: it is used before the answer is sent
  co_return Objects::Change(
      [state, kind, type, value = std::move(*patch)](const json::Value& current) -> Result<json::Value> {
        auto patched = apply_patch_to(*kind, type, current, value);
        if (!patched) return patched;
        auto checked = conform(*kind, std::move(*patched));
        if (!checked) return std::unexpected(as_bad_request(checked.error()));
        SKIFF_RETURN_IF_ERROR(judge(*state, *kind, checked->strict_findings));
        json::Value& metadata = checked->object.edit("metadata");
        // A patch that says nothing of the revision has no precondition.
        if (metadata["resourceVersion"] == current["metadata"]["resourceVersion"])
          metadata.erase("resourceVersion");
        return std::move(checked->object);
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
