// Acting as another user (kubectl --as, --as-group): the Impersonate-User, -Group and -Uid headers. A caller
// needs the verb "impersonate" on each name that it takes on. Pure but for the authorizer's reading of the
// rules.
#pragma once

#include "kube/server/authorize.h"
#include "net/http.h"

namespace skiff::kube {

// Who the request is to be served as: the caller itself without such headers. 403 in upstream's words for a
// name that the caller may not take on; 500, as upstream, for groups without a user. Impersonate-Extra-* is
// ignored: nothing here reads extras.
Result<UserInfo> impersonated(const net::Headers& headers, UserInfo caller, Authorizer& authorizer);

}  // namespace skiff::kube
