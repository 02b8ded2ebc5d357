// DELETE of an object and of a collection (contracts 2.5).
#include "base/strings.h"
#include "kube/server/routes.h"
#include "kube/server/selection.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

Error delete_error(std::string reason, std::string field, std::string message) {
  return invalid("meta.k8s.io", "DeleteOptions", "",
                 {{std::move(reason), std::move(field), std::move(message)}});
}

Result<DeleteOptions> read_options(const Exchange& exchange, const json::Value& body) {
  DeleteOptions out;
  if (const auto* grace = body.find("gracePeriodSeconds"); grace && grace->is_int())
    out.grace_seconds = grace->as_int();
  if (const auto grace = parse_int(exchange.query("gracePeriodSeconds"))) out.grace_seconds = *grace;
  out.propagation = body["propagationPolicy"].str_or(exchange.query("propagationPolicy"));
  if (body["orphanDependents"].is_bool())
    out.propagation = body["orphanDependents"].as_bool() ? "Orphan" : "Background";
  static constexpr std::string_view kPolicies[] = {"", "Background", "Foreground", "Orphan"};
  bool known = false;
  for (const auto policy : kPolicies) known |= out.propagation == policy;
  if (!known) {
    return std::unexpected(
        delete_error("FieldValueNotSupported", "propagationPolicy",
                     "Unsupported value: \"" + out.propagation +
                         "\": supported values: \"Background\", \"Foreground\", \"Orphan\""));
  }
  std::string dry_run = exchange.query("dryRun");
  if (body["dryRun"].size() > 0) dry_run = body["dryRun"].at(0).str();
  out.dry_run = dry_run == "All";
  if (!dry_run.empty() && !out.dry_run) {
    return std::unexpected(
        delete_error("FieldValueNotSupported", "dryRun",
                     "Unsupported value: [\"" + dry_run + "\"]: supported values: \"All\""));
  }
  out.uid = body["preconditions"]["uid"].str();
  out.resource_version = body["preconditions"]["resourceVersion"].str();
  return out;
}

io::Task<Result<DeleteOptions>> read_delete(Exchange& exchange) {
  auto body = co_await read_body(exchange);
  if (!body) co_return std::unexpected(body.error());
  json::Value value;
  if (body->starts_with(std::string_view("k8s\0", 4))) {
    auto decoded = decode_protobuf(exchange.objects.registry(), *body);
    if (!decoded) co_return std::unexpected(bad_request(decoded.error().message));
    value = std::move(*decoded);
  } else if (!body->empty()) {
    auto parsed = json::parse(*body);
    if (!parsed) co_return std::unexpected(bad_request(parsed.error().message));
    value = std::move(*parsed);
  }
  co_return read_options(exchange, value);
}

// Kinds whose last state is answered where others get a Status.
bool answers_with_object(const Kind& kind) {
  if (!kind.group.empty()) return kind.group == "storage.k8s.io";
  static constexpr std::string_view kKinds[] = {"Pod",
                                                "Service",
                                                "Namespace",
                                                "ServiceAccount",
                                                "PersistentVolume",
                                                "PersistentVolumeClaim",
                                                "PodTemplate",
                                                "ResourceQuota"};
  for (const auto name : kKinds) {
    if (kind.kind == name) return true;
  }
  return false;
}

}  // namespace

io::Task<void> serve_delete(Exchange& exchange) {
  auto options = co_await read_delete(exchange);
  if (!options) {
    co_await send_error(exchange, options.error());
    co_return;
  }
  auto deleted = co_await exchange.objects.remove(exchange.target(), *options);
  if (!deleted) {
    co_await send_error(exchange, deleted.error());
    co_return;
  }
  if (deleted->gone && !answers_with_object(*exchange.kind)) {
    co_await send_json(exchange, 200, success_status(*exchange.kind, deleted->object));
    co_return;
  }
  co_await send_json(exchange, 200, std::move(deleted->object));
}

io::Task<void> serve_delete_collection(Exchange& exchange) {
  auto options = co_await read_delete(exchange);
  if (!options) {
    co_await send_error(exchange, options.error());
    co_return;
  }
  auto selection =
      parse_selection(*exchange.kind, exchange.query("labelSelector"), exchange.query("fieldSelector"));
  if (!selection) {
    co_await send_error(exchange, selection.error());
    co_return;
  }
  auto page = exchange.objects.store().list({collection_prefix(exchange.target()), "", 0, {}});
  if (!page) {
    co_await send_error(exchange, page.error());
    co_return;
  }
  json::Value items = json::Value::array();
  for (const auto& entry : page->entries) {
    auto object = json::parse(*entry.value);
    if (!object || !selection->matches(*object)) continue;
    const Target target{exchange.kind, (*object)["metadata"]["namespace"].str(),
                        (*object)["metadata"]["name"].str()};
    auto deleted = co_await exchange.objects.remove(target, *options);
    if (!deleted && deleted.error().code != Code::kNotFound) {
      co_await send_error(exchange, deleted.error());
      co_return;
    }
    if (deleted) items.push_back(std::move(deleted->object));
  }
  const auto revision = std::to_string(store::number(exchange.objects.store().current()));
  co_await send_json(exchange, 200,
                     json::Value::object({{"kind", exchange.kind->kind + "List"},
                                          {"apiVersion", exchange.kind->api_version()},
                                          {"metadata", json::Value::object({{"resourceVersion", revision}})},
                                          {"items", std::move(items)}}));
}

}  // namespace skiff::kube
