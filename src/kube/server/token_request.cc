// TokenRequest: a signed token for a service account, which may end with a Pod, Secret or Node
// (contracts 2.10).
#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/server/authenticate.h"
#include "kube/server/routes.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

using json::Value;

constexpr int64_t kDefaultLifetime = 3600;  // seconds
const std::string kGroup = "authentication.k8s.io";

Result<void> check_names(const Exchange& exchange, const Value& metadata) {
  const std::string& name_space = metadata["namespace"].str();
  if (!name_space.empty() && name_space != exchange.info.name_space) {
    return std::unexpected(
        bad_request("the namespace of the provided object does not match the namespace sent on the request"));
  }
  const Value& name = metadata["name"];
  if (name.empty() || name.str() == exchange.info.name) return {};
  return std::unexpected(invalid(
      kGroup, "TokenRequest", exchange.info.name,
      {{"FieldValueInvalid", "metadata.name",
        "Invalid value: " + json::encode(name) + ": must match the service account name if specified"}}));
}

Result<void> check_lifetime(int64_t seconds) {
  const auto wrong = check_token_lifetime(seconds);
  if (wrong.empty()) return {};
  return std::unexpected(invalid(kGroup, "TokenRequest", "",
                                 {{"FieldValueInvalid", "spec.expirationSeconds",
                                   "Invalid value: " + std::to_string(seconds) + ": " + wrong.front()}}));
}

// What the request leaves open, as it is answered; times and status come later.
void fill_in(const Exchange& exchange, const Value& account, Value& request) {
  const Value asked = request["spec"];
  Value audiences = asked["audiences"];
  if (audiences.empty()) audiences = Value::array({exchange.objects.options().issuer});
  Value seconds = asked["expirationSeconds"];
  if (seconds.is_null()) seconds = kDefaultLifetime;
  Value metadata = request["metadata"].is_object() ? request["metadata"] : Value::object();
  metadata.set("name", account["metadata"]["name"]);
  metadata.set("namespace", account["metadata"]["namespace"]);
  metadata.set("creationTimestamp", format_rfc3339(exchange.objects.loop().wall_now()));
  request.set("metadata", std::move(metadata));
  request.set("spec", Value::object({{"audiences", std::move(audiences)},
                                     {"expirationSeconds", std::move(seconds)},
                                     {"boundObjectRef", asked["boundObjectRef"]}}));
}

struct BoundKind {
  std::string_view kind;
  const char* plural;
  const char* claim;
  bool namespaced;
};
constexpr BoundKind kBoundKinds[] = {
    {"Pod", "pods", "pod", true}, {"Secret", "secrets", "secret", true}, {"Node", "nodes", "node", false}};

// "group/version, Kind=kind", as Go prints it.
std::string describe(const Value& reference) {
  std::string version = reference["apiVersion"].str();
  if (!version.contains('/')) version.insert(0, "/");
  return version + ", Kind=" + reference["kind"].str();
}

Error wrong_uid(const Value& reference) {
  const std::string& name = reference["name"].str();
  const std::string& kind = reference["kind"].str();
  return make_status_error(
      409, "Conflict",
      "Operation cannot be fulfilled on " + kind + " \"" + name +
          "\": the UID in the bound object reference (" + reference["uid"].str() +
          ") does not match the UID in record. The object might have been deleted and then recreated",
      Value::object({{"name", name}, {"kind", kind}}));
}

// The claim that names what the token shall end with ({"pod": {name, uid}}); null for none.
Result<Value> bound_claim(const Exchange& exchange, const Value& reference) {
  if (reference.is_null()) return Value();
  const BoundKind* bound = nullptr;
  for (const auto& candidate : kBoundKinds) {
    const bool core = !reference["apiVersion"].str().contains('/');
    if (core && reference["kind"].str() == candidate.kind) bound = &candidate;
  }
  if (!bound)
    return std::unexpected(bad_request("cannot bind token to object of type " + describe(reference)));
  auto object =
      exchange.objects.get({exchange.objects.kind("", bound->plural),
                            bound->namespaced ? exchange.info.name_space : "", reference["name"].str()});
  if (!object) return object;
  if (bound->kind == "Pod" &&
      (*object)["spec"]["serviceAccountName"].str_or("default") != exchange.info.name) {
    return std::unexpected(bad_request("cannot bind token for serviceaccount \"" + exchange.info.name +
                                       "\" to pod running with different serviceaccount name."));
  }
  const Value& uid = (*object)["metadata"]["uid"];
  if (!reference["uid"].empty() && reference["uid"] != uid) return std::unexpected(wrong_uid(reference));
  return Value::object({{bound->claim, Value::object({{"name", reference["name"]}, {"uid", uid}})}});
}

// The request with its answer in `status`.
Result<Value> answer(const Exchange& exchange, const Value& account, Value request) {
  SKIFF_RETURN_IF_ERROR(check_names(exchange, request["metadata"]));
  fill_in(exchange, account, request);
  SKIFF_RETURN_IF_ERROR(check_lifetime(request["spec"]["expirationSeconds"].as_int()));
  const Value spec = request["spec"];
  const auto bound = bound_claim(exchange, spec["boundObjectRef"]);
  if (!bound) return bound;
  std::vector<std::string> audiences;
  for (const auto& item : spec["audiences"].items()) audiences.push_back(item.str());
  const auto lifetime = std::chrono::seconds(spec["expirationSeconds"].as_int());
  auto token = exchange.authenticator.issue(account, *bound, lifetime, audiences);
  if (!token) return std::unexpected(token.error());
  const WallTime end = exchange.objects.loop().wall_now() + lifetime;
  request.set("status", Value::object({{"token", *token}, {"expirationTimestamp", format_rfc3339(end)}}));
  return request;
}

}  // namespace

io::Task<void> serve_token(Exchange& exchange) {
  auto account = exchange.objects.get(exchange.target());
  if (!account) {
    co_await send_error(exchange, account.error());
    co_return;
  }
  const KindPtr kind = exchange.objects.registry().find_kind(kGroup, "v1", "TokenRequest");
  if (!kind) {
    co_await send_error(exchange, no_such_resource());
    co_return;
  }
  auto request = co_await read_object(exchange, *kind);
  if (!request) {
    co_await send_error(exchange, request.error());
    co_return;
  }
  auto answered = answer(exchange, *account, std::move(*request));
  if (!answered) {
    co_await send_error(exchange, answered.error());
    co_return;
  }
  co_await send_json(exchange, 201, std::move(*answered));
}

}  // namespace skiff::kube
