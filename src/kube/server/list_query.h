// The query of a list: limit, continue and resourceVersion, turned into a read of the store. Pure.
#pragma once

#include "base/result.h"
#include "net/http.h"
#include "store/store.h"

namespace skiff::kube {

Result<store::ListOptions> parse_list_query(const net::Request& request, const std::string& prefix,
                                            store::Revision current);
// Where the next page begins: opaque to clients.
std::string encode_continue(store::Revision revision, const std::string& last);
// The store's refusal in the API's words; one of a continued list carries the token of an inconsistent rest.
Error list_error(const Error& error, const store::ListOptions& asked);
// A resourceVersion parameter; 0 for "" and "0".
Result<store::Revision> parse_revision(std::string_view text);

}  // namespace skiff::kube
