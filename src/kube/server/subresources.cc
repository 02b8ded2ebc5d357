// Subresources with a life of their own: scale, binding, finalize, token, log (contracts 2.10).
#include "base/strings.h"
#include "kube/server/log_proxy.h"
#include "kube/server/routes.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

bool is_core(const Exchange& exchange, std::string_view plural) {
  return exchange.info.group.empty() && exchange.info.resource == plural;
}

std::string selector_text(const json::Value& selector) {
  auto parsed = LabelSelector::from_object(selector);
  return parsed ? parsed->to_string() : "";
}

// A path of /scale: the definition's for a custom kind (".spec.count"), else where every built-in kind has
// it.
std::vector<std::string> scale_path(const Kind& kind, const char* name, std::string_view built_in) {
  const std::string given = kind.custom ? kind.scale_paths[name].str() : std::string(built_in);
  auto keys = split(given, '.');
  if (!keys.empty()) keys.erase(keys.begin());
  return keys;
}

const json::Value& at_path(const json::Value& object, const std::vector<std::string>& keys) {
  const json::Value* at = &object;
  for (const auto& key : keys) at = &(*at)[key];
  return *at;
}

json::Value scale_of(const Kind& kind, const json::Value& object) {
  const json::Value& metadata = object["metadata"];
  json::Value kept = json::Value::object();
  for (const char* field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    kept.set(field, metadata[field]);
  }
  const auto wanted = at_path(object, scale_path(kind, "specReplicasPath", ".spec.replicas")).as_int();
  const auto present = at_path(object, scale_path(kind, "statusReplicasPath", ".status.replicas")).as_int();
  json::Value status = json::Value::object({{"replicas", present}});
  const json::Value& chosen = at_path(object, scale_path(kind, "labelSelectorPath", ".spec.selector"));
  const std::string selector = kind.custom ? chosen.str() : selector_text(chosen);
  if (!selector.empty()) status.set("selector", selector);
  return json::Value::object({{"kind", "Scale"},
                              {"apiVersion", "autoscaling/v1"},
                              {"metadata", std::move(kept)},
                              {"spec", json::Value::object({{"replicas", wanted}})},
                              {"status", std::move(status)}});
}

// What a new Scale says of the object it belongs to.
Result<json::Value> rescale(const Kind& kind, const json::Value& current, const json::Value& scale) {
  const int64_t replicas = scale["spec"]["replicas"].as_int();
  if (replicas < 0) {
    return std::unexpected(
        invalid("autoscaling", "Scale", current["metadata"]["name"].str(),
                {{"FieldValueInvalid", "spec.replicas",
                  "Invalid value: " + std::to_string(replicas) + ": must be greater than or equal to 0"}}));
  }
  json::Value out = current;
  json::Value* at = &out;
  for (const auto& key : scale_path(kind, "specReplicasPath", ".spec.replicas")) at = &at->edit(key);
  *at = replicas;
  out.edit("metadata").erase("resourceVersion");
  if (const auto& revision = scale["metadata"]["resourceVersion"].str(); !revision.empty()) {
    out.edit("metadata").set("resourceVersion", revision);
  }
  return out;
}

KindPtr scale_kind(const Exchange& exchange) {
  return exchange.objects.registry().find_kind("autoscaling", "v1", "Scale");
}

// A PATCH of the Scale that the object has now.
io::Task<Result<Objects::Change>> read_scale_patch(Exchange& exchange) {
  auto patch = co_await read_patch(exchange, scale_kind(exchange));
  if (!patch) co_return std::unexpected(patch.error());
  const KindPtr kind = exchange.kind;
  co_return Objects::Change(
      [kind, change = std::move(*patch)](const json::Value& current) -> Result<json::Value> {
        auto patched = change(scale_of(*kind, current));
        if (!patched) return patched;
        return rescale(*kind, current, *patched);
      });
}

io::Task<Result<Objects::Change>> read_scale(Exchange& exchange) {
  if (exchange.info.verb == "patch") {
    auto change = co_await read_scale_patch(exchange);
    co_return change;
  }
  auto scale = co_await read_object(exchange, *scale_kind(exchange));
  if (!scale) co_return std::unexpected(scale.error());
  const KindPtr kind = exchange.kind;
  co_return Objects::Change([kind, given = std::move(*scale)](const json::Value& current) {
    return rescale(*kind, current, given);
  });
}

// The object's Scale, in the form that Accept asks for.
io::Task<void> send_scale(Exchange& exchange, const json::Value& object) {
  json::Value scale = scale_of(*exchange.kind, object);
  exchange.kind = scale_kind(exchange);
  co_await send_object(exchange, 200, std::move(scale));
}

io::Task<void> serve_scale(Exchange& exchange) {
  if (exchange.info.verb == "get") {
    auto object = exchange.objects.get(exchange.target());
    if (!object) {
      co_await send_error(exchange, object.error());
      co_return;
    }
    co_await send_scale(exchange, *object);
    co_return;
  }
  auto options = write_options(exchange, "UpdateOptions");
  if (!options) {
    co_await send_error(exchange, options.error());
    co_return;
  }
  options->subresource.clear();
  auto change = co_await read_scale(exchange);
  if (!change) {
    co_await send_error(exchange, change.error());
    co_return;
  }
  auto written = co_await exchange.objects.modify(exchange.target(), std::move(*change), *options);
  if (!written) {
    co_await send_error(exchange, written.error());
    co_return;
  }
  co_await send_scale(exchange, *written);
}

// Gives the pod its node, once.
Result<json::Value> bind(const json::Value& pod, const std::string& node, WallTime now) {
  const std::string& name = pod["metadata"]["name"].str();
  const std::string& present = pod["spec"]["nodeName"].str();
  if (!present.empty()) {
    return std::unexpected(make_status_error(409, "Conflict",
                                             "Operation cannot be fulfilled on pods/binding \"" + name +
                                                 "\": pod " + name + " is already assigned to node \"" +
                                                 present + "\""));
  }
  json::Value out = pod;
  out.edit("spec").set("nodeName", node);
  json::Value kept = json::Value::array();
  for (const auto& item : pod["status"]["conditions"].items()) {
    if (item["type"].str() != "PodScheduled") kept.push_back(item);
  }
  kept.push_back(json::Value::object({{"type", "PodScheduled"},
                                      {"status", "True"},
                                      {"lastProbeTime", nullptr},
                                      {"lastTransitionTime", format_rfc3339(now)}}));
  out.edit("status").set("conditions", std::move(kept));
  return out;
}

io::Task<void> serve_binding(Exchange& exchange) {
  auto options = write_options(exchange, "CreateOptions");
  if (!options) {
    co_await send_error(exchange, options.error());
    co_return;
  }
  auto binding = co_await read_object(exchange, *exchange.objects.kind("", "bindings"));
  if (!binding) {
    co_await send_error(exchange, binding.error());
    co_return;
  }
  const std::string node = (*binding)["target"]["name"].str();
  if (node.empty()) {
    co_await send_error(exchange, make_status_error(500, "", "target.name: Required value"));
    co_return;
  }
  const WallTime now = exchange.objects.loop().wall_now();
  const auto change = [node, now](const json::Value& pod) { return bind(pod, node, now); };
  auto bound = co_await exchange.objects.modify(exchange.target(), change, *options);
  if (!bound) {
    co_await send_error(exchange, bound.error());
    co_return;
  }
  co_await send_json(exchange, 201, created_status());
}

io::Task<void> serve_finalize(Exchange& exchange) {
  auto object = co_await read_object(exchange, *exchange.kind);
  if (!object) {
    co_await send_error(exchange, object.error());
    co_return;
  }
  WriteOptions options;
  options.subresource = "finalize";
  const json::Value given = *object;
  const auto change = [given](const json::Value& current) -> Result<json::Value> {
    json::Value out = current;
    out.edit("spec").set("finalizers", given["spec"]["finalizers"]);
    if (const auto& revision = given["metadata"]["resourceVersion"].str(); !revision.empty()) {
      out.edit("metadata").set("resourceVersion", revision);
    }
    return out;
  };
  auto written = co_await exchange.objects.modify(exchange.target(), change, options);
  if (!written) {
    co_await send_error(exchange, written.error());
    co_return;
  }
  co_await send_json(exchange, 200, std::move(*written));
}

}  // namespace

bool is_special_subresource(const Exchange& exchange) {
  const std::string& name = exchange.info.subresource;
  if (name == "scale") return exchange.kind->has_scale;
  if (name == "binding" || name == "log" || name == "eviction") return is_core(exchange, "pods");
  if (name == "finalize") return is_core(exchange, "namespaces");
  return name == "token" && is_core(exchange, "serviceaccounts");
}

io::Task<void> serve_subresource(Exchange& exchange) {
  const std::string& name = exchange.info.subresource;
  const std::string& verb = exchange.info.verb;
  if (name == "scale" && (verb == "get" || verb == "update" || verb == "patch")) {
    co_await serve_scale(exchange);
  } else if (name == "binding" && verb == "create") {
    co_await serve_binding(exchange);
  } else if (name == "eviction" && verb == "create") {
    co_await serve_eviction(exchange);
  } else if (name == "finalize" && verb == "update") {
    co_await serve_finalize(exchange);
  } else if (name == "token" && verb == "create") {
    co_await serve_token(exchange);
  } else if (name == "log" && verb == "get") {
    co_await serve_log(exchange);
  } else {
    co_await send_error(exchange, method_not_allowed());
  }
}

}  // namespace skiff::kube
