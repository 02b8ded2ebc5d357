#include "kube/server/api_server.h"

#include "kube/schema/protobuf.h"
#include "kube/server/authenticate.h"
#include "kube/server/authorize.h"
#include "kube/server/bootstrap.h"
#include "kube/server/custom_kinds.h"
#include "kube/server/impersonate.h"
#include "kube/server/local_client.h"
#include "kube/server/negotiate.h"
#include "kube/server/own_services.h"
#include "kube/server/routes.h"
#include "kube/server/status.h"

namespace skiff::kube {

struct ApiServer::Impl {
  Impl(io::Loop& loop, store::Store& store, Registry& registry, ServerOptions given)
      : options(std::move(given)),
        objects(loop, store, registry, options),
        authenticator(objects),
        authorizer(objects),
        custom(objects) {}
  ServerOptions options;
  Objects objects;
  Authenticator authenticator;
  Authorizer authorizer;
  CustomKinds custom;
  BodyBudget bodies;
};

namespace {

struct ServerParts {
  Objects& objects;
  Authenticator& authenticator;
  Authorizer& authorizer;
  CustomKinds& custom;
  BodyBudget& bodies;
};

// Anonymous callers see that the server lives and its version, nothing else.
bool is_public(const RequestInfo& info) {
  static constexpr std::string_view kPaths[] = {"/healthz", "/livez", "/readyz", "/version"};
  if (info.is_resource || info.verb != "get") return false;
  for (const auto path : kPaths) {
    if (info.path == path) return true;
  }
  return false;
}

io::Task<void> serve_verb(Exchange& exchange) {
  const std::string verb = exchange.info.verb;
  if (verb == "get") {
    co_await serve_get(exchange);
  } else if (verb == "list") {
    co_await serve_list(exchange);
  } else if (verb == "watch") {
    co_await serve_watch(exchange);
  } else if (verb == "create") {
    co_await serve_create(exchange);
  } else if (verb == "update") {
    co_await serve_update(exchange);
  } else if (verb == "patch") {
    co_await serve_patch(exchange);
  } else if (verb == "delete") {
    co_await serve_delete(exchange);
  } else if (verb == "deletecollection") {
    co_await serve_delete_collection(exchange);
  } else {
    co_await send_error(exchange, method_not_allowed());
  }
}

bool verb_fits(const Exchange& exchange) {
  const RequestInfo& info = exchange.info;
  if (info.verb.empty()) return false;
  if (info.name.empty() && (info.verb == "update" || info.verb == "patch")) return false;
  if (!info.subresource.empty()) return true;
  if (!exchange.kind->listed) return info.verb == "create";
  return true;
}

// Why a request of a known resource goes nowhere; nothing when it may be served.
std::optional<Error> refusal(const Exchange& exchange) {
  const RequestInfo& info = exchange.info;
  const Kind& kind = *exchange.kind;
  // A namespace is an object of the cluster.
  if (!kind.namespaced && info.resource != "namespaces" && !info.name_space.empty())
    return no_such_resource();
  const bool status = info.subresource == "status" && kind.has_status;
  const bool special = !info.subresource.empty() && is_special_subresource(exchange);
  if (info.bad_path || (!info.subresource.empty() && !status && !special)) return no_such_resource();
  const bool fits_status = info.verb == "get" || info.verb == "update" || info.verb == "patch";
  if (!verb_fits(exchange) || (status && !fits_status)) return method_not_allowed();
  if (kind.terminating && info.verb == "create") {
    return make_status_error(405, "MethodNotAllowed",
                             "create not allowed while custom resource definition is terminating",
                             json::Value::object());
  }
  // A log is text, whatever is accepted.
  const bool answered = !kind.listed || info.subresource == "token" || info.subresource == "binding" ||
                        info.subresource == "eviction";
  const Acceptable wanted =
      negotiate(exchange.request.headers.get("Accept"), answered ? Tables::kNone : Tables::kServed);
  if (info.subresource == "log") return std::nullopt;
  if (wanted.encoding == Encoding::kProtobuf && !has_protobuf(kind)) {
    return make_status_error(
        406, "NotAcceptable",
        "only the following media types are accepted: application/json, application/yaml",
        json::Value::object());
  }
  if (wanted.form != Form::kNone) return std::nullopt;
  return make_status_error(
      406, "NotAcceptable",
      "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
      "application/vnd.kubernetes.protobuf",
      json::Value::object());
}

io::Task<void> serve_resource(Exchange& exchange) {
  const RequestInfo& info = exchange.info;
  exchange.kind = exchange.objects.registry().find(info.group, info.version, info.resource);
  if (!exchange.kind) {
    // A group that nobody serves is an unknown path.
    bool group = false;
    for (const auto& kind : exchange.objects.registry().all()) group |= kind->group == info.group;
    if (group) {
      co_await send_error(exchange, no_such_resource());
    } else {
      co_await send_text(exchange, 404, "404 page not found\n");
    }
    co_return;
  }
  if (auto refused = refusal(exchange)) {
    co_await send_error(exchange, std::move(*refused));
  } else if (!info.subresource.empty() && is_special_subresource(exchange)) {
    co_await serve_subresource(exchange);
  } else if (!exchange.kind->listed) {
    co_await serve_review(exchange);
  } else {
    co_await serve_verb(exchange);
  }
}

// Everything a request passes through; the user is known when the caller is in this process.
io::Task<void> serve(ServerParts parts, std::optional<UserInfo> known, const net::Request& request,
                     net::BodyReader& body, net::ResponseWriter& writer) {
  const auto watch = request.query_parameter("watch").value_or("false");
  Exchange exchange{parts.objects,
                    parts.authenticator,
                    parts.authorizer,
                    request,
                    body,
                    writer,
                    parts.bodies,
                    parse_request_info(request.method, request.path(), watch != "false" && watch != "0"),
                    {},
                    {},
                    {}};
  Result<UserInfo> user = known ? *known : parts.authenticator.identify(request);
  if (user && !known) user = impersonated(request.headers, std::move(*user), parts.authorizer);
  if (!user) {
    co_await send_error(exchange, user.error());
    co_return;
  }
  exchange.user = std::move(*user);
  const Attributes attributes = attributes_of(exchange.info);
  const bool allowed = is_public(exchange.info) || parts.authorizer.allows(exchange.user, attributes);
  if (!allowed) {
    co_await send_error(exchange, access_denied(exchange.user, attributes));
    co_return;
  }
  parts.custom.refresh();
  if (exchange.info.is_resource) {
    co_await serve_resource(exchange);
    // Nobody may ask again soon, and a deleted definition's objects have to go.
    if (exchange.kind && is_definition(*exchange.kind)) parts.custom.refresh();
  } else {
    co_await serve_plain(exchange);
  }
}

}  // namespace

ApiServer::ApiServer(io::Loop& loop, store::Store& store, Registry& registry, ServerOptions options)
    : impl_(std::make_unique<Impl>(loop, store, registry, std::move(options))) {}
ApiServer::~ApiServer() = default;

net::Handler ApiServer::handler() {
  Impl* impl = impl_.get();
  return [impl](const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer) {
    return serve({impl->objects, impl->authenticator, impl->authorizer, impl->custom, impl->bodies},
                 std::nullopt, request, body, writer);
  };
}

std::unique_ptr<Client> ApiServer::local_client(UserInfo user) {
  Impl* impl = impl_.get();
  return make_local_client(
      impl->objects.loop(),
      [impl, user](const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer) {
        return serve({impl->objects, impl->authenticator, impl->authorizer, impl->custom, impl->bodies}, user,
                     request, body, writer);
      });
}

io::Task<Result<void>> ApiServer::bootstrap() {
  impl_->custom.refresh();
  auto done = co_await bootstrap_objects(impl_->objects);
  co_return done;
}

io::Task<Result<void>> ApiServer::keep_own_services() {
  auto kept = co_await kube::keep_own_services(impl_->objects);
  co_return kept;
}

UserInfo master_user(std::string name) {
  return {std::move(name), "", {"system:masters", "system:authenticated"}};
}

}  // namespace skiff::kube
