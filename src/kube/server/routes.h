// How one request is answered: what every handler of the server is given, and the handlers by theme.
#pragma once

#include "kube/server/body_budget.h"
#include "kube/server/objects.h"
#include "kube/server/request_info.h"
#include "net/http_server.h"

namespace skiff::kube {

class Authenticator;
class Authorizer;

// Lives until the answer is sent; the coroutines below hold references to it.
struct Exchange {
  Objects& objects;
  Authenticator& authenticator;
  Authorizer& authorizer;
  const net::Request& request;
  net::BodyReader& body;
  net::ResponseWriter& writer;
  BodyBudget& bodies;
  RequestInfo info;
  UserInfo user;
  KindPtr kind;                       // of a resource request
  std::vector<std::string> warnings;  // become Warning headers
  std::string query(std::string_view name) const { return request.query_parameter(name).value_or(""); }
  bool flag(std::string_view name) const;
  Target target() const { return {kind, kind->namespaced ? info.name_space : "", info.name}; }
};

// The body, whole; 413 past the limit, 504 when it takes a minute, 429 when others have the memory.
io::Task<Result<std::string>> read_body(Exchange& exchange);

// Answers. `object` goes out in the form that Accept asks for: JSON, Table or PartialObjectMetadata.
io::Task<void> send_object(Exchange& exchange, int code, json::Value object);
io::Task<void> send_json(Exchange& exchange, int code, json::Value value);
io::Task<void> send_text(Exchange& exchange, int code, std::string text);
io::Task<void> send_error(Exchange& exchange, Error error);
io::Task<void> send_response(Exchange& exchange, net::Response response);

io::Task<void> serve_get(Exchange& exchange);
io::Task<void> serve_list(Exchange& exchange);
io::Task<void> serve_watch(Exchange& exchange);
io::Task<void> serve_create(Exchange& exchange);
io::Task<void> serve_update(Exchange& exchange);
io::Task<void> serve_patch(Exchange& exchange);
io::Task<void> serve_delete(Exchange& exchange);
io::Task<void> serve_delete_collection(Exchange& exchange);
io::Task<void> serve_eviction(Exchange& exchange);
// A TokenRequest for the service account of the path.
io::Task<void> serve_token(Exchange& exchange);
// True when the subresource is one of those with a life of their own (not status): scale, binding,
// eviction, log, finalize, token.
bool is_special_subresource(const Exchange& exchange);
io::Task<void> serve_subresource(Exchange& exchange);
// Review kinds are answered, not stored.
io::Task<void> serve_review(Exchange& exchange);
// Health, version, discovery, OpenAPI.
io::Task<void> serve_plain(Exchange& exchange);

// What the Content-Type says that the body is; nothing when it is none that this server reads.
std::optional<MediaType> body_media(const Exchange& exchange, std::string_view body);
// The body as an object of `kind`, with strict findings judged by ?fieldValidation.
io::Task<Result<json::Value>> read_object(Exchange& exchange, const Kind& kind);
// ?fieldValidation decides what unknown and duplicate fields are: an error, warnings or nothing.
enum class FieldVerdict { kAccepted, kRefused };
FieldVerdict judge_fields(Exchange& exchange, const std::vector<std::string>& findings);
// An error of a body: one that carries a Status keeps it, others are the client's fault.
Error as_bad_request(const Error& error);
std::string unsupported_dry_run(const std::string& given);
// dryRun, user, subresource from the query; 422 for what the options cannot be.
Result<WriteOptions> write_options(Exchange& exchange, std::string_view options_kind);
// Applies the request's PATCH body; `type_kind` is what the patched value is.
io::Task<Result<Objects::Change>> read_patch(Exchange& exchange, KindPtr type_kind);

}  // namespace skiff::kube
