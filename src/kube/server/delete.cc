// DELETE of an object and of a collection, and eviction (contracts 2.5).
#include <algorithm>

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

Result<void> read_grace(const Exchange& exchange, const json::Value& body, DeleteOptions& out) {
  if (const auto& grace = body["gracePeriodSeconds"]; grace.is_int()) out.grace_seconds = grace.as_int();
  const std::string text = exchange.query("gracePeriodSeconds");
  if (text.empty()) return {};
  const auto grace = parse_int(text);
  if (!grace) return std::unexpected(bad_request(bad_integer(text)));
  out.grace_seconds = *grace;
  return {};
}

Result<void> read_propagation(const Exchange& exchange, const json::Value& body, DeleteOptions& out) {
  out.propagation = body["propagationPolicy"].str_or(exchange.query("propagationPolicy"));
  json::Value orphan = body["orphanDependents"];
  if (orphan.is_null() && !exchange.query("orphanDependents").empty())
    orphan = exchange.flag("orphanDependents");
  if (orphan.is_bool() && !out.propagation.empty()) {
    return std::unexpected(delete_error("FieldValueInvalid", "propagationPolicy",
                                        "Invalid value: " + json::encode(out.propagation) +
                                            ": orphanDependents and deletionPropagation cannot be both set"));
  }
  if (orphan.is_bool()) out.propagation = orphan.as_bool() ? "Orphan" : "Background";
  static constexpr std::string_view kPolicies[] = {"", "Background", "Foreground", "Orphan"};
  if (std::ranges::find(kPolicies, out.propagation) != std::end(kPolicies)) return {};
  return std::unexpected(
      delete_error("FieldValueNotSupported", "propagationPolicy",
                   "Unsupported value: " + json::encode(out.propagation) +
                       ": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""));
}

Result<DeleteOptions> read_options(const Exchange& exchange, const json::Value& body) {
  DeleteOptions out;
  SKIFF_RETURN_IF_ERROR(read_grace(exchange, body, out));
  SKIFF_RETURN_IF_ERROR(read_propagation(exchange, body, out));
  std::string dry_run = exchange.query("dryRun");
  if (body["dryRun"].size() > 0) dry_run = body["dryRun"].at(0).str();
  out.dry_run = dry_run == "All";
  if (!dry_run.empty() && !out.dry_run)
    return std::unexpected(delete_error("FieldValueNotSupported", "dryRun", unsupported_dry_run(dry_run)));
  out.uid = body["preconditions"]["uid"].str();
  out.resource_version = body["preconditions"]["resourceVersion"].str();
  return out;
}

// An empty body is no options.
io::Task<Result<DeleteOptions>> read_delete(Exchange& exchange) {
  auto body = co_await read_body(exchange);
  if (!body) co_return std::unexpected(body.error());
  if (body->empty()) co_return read_options(exchange, {});
  const Registry& registry = exchange.objects.registry();
  const KindPtr kind = registry.find_kind("meta.k8s.io", "v1", "DeleteOptions");
  const auto media = body_media(exchange, *body);
  if (!media) co_return std::unexpected(unsupported_body());
  auto decoded = decode(registry, *kind, *media, *body);
  if (!decoded) co_return std::unexpected(as_bad_request(decoded.error()));
  co_return read_options(exchange, decoded->object);
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

// A delete that a disruption budget could refuse; there are no budgets here.
io::Task<void> serve_eviction(Exchange& exchange) {
  const KindPtr kind = exchange.objects.registry().find_kind("policy", "v1", "Eviction");
  auto eviction = co_await read_object(exchange, *kind);
  if (!eviction) {
    co_await send_error(exchange, eviction.error());
    co_return;
  }
  if (const auto& name = (*eviction)["metadata"]["name"]; !name.empty() && name.str() != exchange.info.name) {
    co_await send_error(exchange, bad_request("name in URL does not match name in Eviction object"));
    co_return;
  }
  auto options = read_options(exchange, (*eviction)["deleteOptions"]);
  if (!options) {
    co_await send_error(exchange, options.error());
    co_return;
  }
  auto deleted = co_await exchange.objects.remove(exchange.target(), *options);
  if (!deleted) {
    co_await send_error(exchange, deleted.error());
    co_return;
  }
  co_await send_json(exchange, 201, created_status());
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
  std::string items;  // as text: a whole namespace of values would be many times larger
  for (const auto& entry : page->entries) {
    auto object = served_object(*exchange.kind, entry.value);
    if (!object || !selection->matches(*object)) continue;
    const Target target{exchange.kind, (*object)["metadata"]["namespace"].str(),
                        (*object)["metadata"]["name"].str()};
    auto deleted = co_await exchange.objects.remove(target, *options);
    if (!deleted && deleted.error().code != Code::kNotFound) {
      co_await send_error(exchange, deleted.error());
      co_return;
    }
    if (!deleted) continue;
    if (!items.empty()) items += ',';
    json::encode_to(deleted->object, items);
  }
  const auto revision = std::to_string(store::number(exchange.objects.store().current()));
  std::string body = "{\"kind\":\"" + exchange.kind->kind + "List\",\"apiVersion\":\"" +
                     exchange.kind->api_version() + "\",\"metadata\":{\"resourceVersion\":\"" + revision +
                     "\"},\"items\":[" + items + "]}";
  co_await send_response(exchange, net::Response::json(200, std::move(body)));
}

}  // namespace skiff::kube
