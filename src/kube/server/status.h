// Errors of the API as Status objects, in upstream's words (contracts 2.1). Every function gives an Error
// that carries the Status as StatusDetails, so that errors travel as ordinary Results and become bodies at
// the edge. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/client/client.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

// `details` null: {}.
Error make_status_error(int code, std::string_view reason, std::string message, json::Value details = {});
Error not_found(std::string_view group, std::string_view plural, std::string_view name);
Error already_exists(const Kind& kind, const std::string& name);
Error stale(const Kind& kind, const std::string& name);
Error conflict(const Kind& kind, const std::string& name, std::string message);
Error bad_request(std::string message);
Error invalid(const std::string& group, const std::string& kind, const std::string& name,
              const std::vector<FieldError>& errors);
// "pods \"x\" is forbidden: why"; without a name "pods is forbidden: why".
Error forbidden(std::string_view group, std::string_view plural, std::string_view name, std::string why);
Error no_such_resource();
Error method_not_allowed();
Error unsupported_body();
Error unsupported_patch(bool custom);
Error too_large_revision(std::string_view asked, int64_t current);

// The Status that an error becomes, and its HTTP code; errors without details are mapped by their code.
struct StatusAnswer {
  int code = 500;
  json::Value status;
};
StatusAnswer answer_of(const Error& error);
// strconv's words for a number in a query that is none.
std::string bad_integer(std::string_view text);
// {"kind":"Status", ..., "status":"Success"}.
json::Value success_status(const Kind& kind, const json::Value& object);
// The same with code 201, of a binding or an eviction.
json::Value created_status();

}  // namespace skiff::kube
