// POST and PUT of objects: bodies, field validation, dry run (contracts 2.6).
#include "base/strings.h"
#include "kube/server/authorize.h"
#include "kube/server/check_pod_security.h"
#include "kube/server/definition_status.h"
#include "kube/server/escalation.h"
#include "kube/server/node_rights.h"
#include "kube/server/pod_warnings.h"
#include "kube/server/routes.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

constexpr size_t kMaxFieldManager = 128;  // bytes

Error option_error(std::string_view kind, std::string reason, std::string field, std::string message) {
  return invalid("meta.k8s.io", std::string(kind), "",
                 {{std::move(reason), std::move(field), std::move(message)}});
}

// What the server is asked to do with unknown fields, and by whom.
Result<void> check_options(const Exchange& exchange, std::string_view kind) {
  const std::string mode = exchange.query("fieldValidation");
  if (!mode.empty() && mode != "Ignore" && mode != "Strict" && mode != "Warn") {
    return std::unexpected(option_error(kind, "FieldValueNotSupported", "fieldValidation",
                                        "Unsupported value: " + json::encode(mode) +
                                            ": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""));
  }
  if (exchange.query("fieldManager").size() > kMaxFieldManager) {
    return std::unexpected(
        option_error(kind, "FieldValueTooLong", "fieldManager", "Too long: may not be more than 128 bytes"));
  }
  return {};
}

// An update that creates needs the right for it.
Result<void> check_may_create(const Exchange& exchange) {
  Attributes attributes = attributes_of(exchange.info);
  attributes.verb = "create";
  if (exchange.authorizer.allows(exchange.user, attributes)) return {};
  return std::unexpected(access_denied(exchange.user, attributes));
}

}  // namespace

Result<WriteOptions> write_options(Exchange& exchange, std::string_view options_kind) {
  WriteOptions options;
  options.guard = [&exchange](const Target& target, const json::Value& object,
                              const json::Value* before) -> Result<void> {
    if (before == nullptr && exchange.info.verb == "update")
      SKIFF_RETURN_IF_ERROR(check_may_create(exchange));
    SKIFF_RETURN_IF_ERROR(check_node_write(exchange.user, target, object, before));
    SKIFF_RETURN_IF_ERROR(check_escalation(exchange.authorizer, exchange.user, target, object, before));
    SKIFF_RETURN_IF_ERROR(check_pod_security(
        {exchange.objects, exchange.user.name, exchange.info.subresource, exchange.warnings}, target, object,
        before));
    if (exchange.info.subresource.empty()) {
      for (auto& text : object_warnings(*target.kind, object, before))
        exchange.warnings.push_back(std::move(text));
    }
    return {};
  };
  options.subresource = exchange.info.subresource;
  const auto dry_run = exchange.query("dryRun");
  options.dry_run = dry_run == "All";
  if (!dry_run.empty() && !options.dry_run) {
    return std::unexpected(
        option_error(options_kind, "FieldValueNotSupported", "dryRun", unsupported_dry_run(dry_run)));
  }
  SKIFF_RETURN_IF_ERROR(check_options(exchange, options_kind));
  return options;
}

std::string unsupported_dry_run(const std::string& given) {
  return "Unsupported value: []string{" + json::encode(given) + "}: supported values: \"All\"";
}

Error as_bad_request(const Error& error) {
  return error.details ? error : bad_request(error.message);
}

FieldVerdict judge_fields(Exchange& exchange, const std::vector<std::string>& findings) {
  const std::string mode = exchange.query("fieldValidation");
  if (findings.empty() || mode == "Ignore") return FieldVerdict::kAccepted;
  if (mode == "Strict") return FieldVerdict::kRefused;
  for (const std::string& finding : findings) {
    if (!finding.starts_with(kYamlFindings)) {
      exchange.warnings.push_back(finding);
      continue;
    }
    // A warning is one line.
    for (const auto& line : split(std::string_view(finding).substr(kYamlFindings.size()), '\n'))
      exchange.warnings.emplace_back(trim(line));
  }
  return FieldVerdict::kAccepted;
}

std::optional<MediaType> body_media(const Exchange& exchange, std::string_view body) {
  const std::string media =
      to_lower(trim(split_once(exchange.request.headers.get("Content-Type"), ";").before));
  constexpr std::string_view kProtobufMagic{"k8s\0", 4};
  if (media.empty() && body.starts_with(kProtobufMagic)) return MediaType::kProtobuf;
  if (media.empty() || media == "application/json") return MediaType::kJson;
  if (media == "application/yaml" || media == "text/yaml") return MediaType::kYaml;
  if (media == "application/vnd.kubernetes.protobuf") return MediaType::kProtobuf;
  return std::nullopt;
}

io::Task<Result<json::Value>> read_object(Exchange& exchange, const Kind& kind) {
  auto body = co_await read_body(exchange);
  if (!body) co_return std::unexpected(body.error());
  const auto media = body_media(exchange, *body);
  if (!media) co_return std::unexpected(unsupported_body());
  auto decoded = decode(exchange.objects.registry(), kind, *media, *body);
  if (!decoded) co_return std::unexpected(as_bad_request(decoded.error()));
  if (judge_fields(exchange, decoded->strict_findings) == FieldVerdict::kRefused) {
    co_return std::unexpected(
        bad_request(kind.kind + " in version \"" + kind.version + "\" cannot be handled as a " + kind.kind +
                    ": strict decoding error: " + join(decoded->strict_findings, ", ")));
  }
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
  co_await send_object(exchange, updated->created ? 201 : 200, std::move(updated->object));
}

}  // namespace skiff::kube
