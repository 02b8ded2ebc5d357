// Who a caller is: client certificate, static token, service account token, else anonymous.
#pragma once

#include "kube/server/objects.h"
#include "net/http.h"

namespace skiff::kube {

class Authenticator {
 public:
  explicit Authenticator(const Objects& objects) : objects_(objects) {}
  // 401 for a token that proves nobody.
  Result<UserInfo> identify(const net::Request& request) const;
  Result<UserInfo> check_token(const std::string& token) const;
  // A signed token for the account; Unavailable without keys.
  Result<std::string> issue(const json::Value& account, const json::Value& bound_pod, Duration lifetime,
                            const std::vector<std::string>& audiences) const;

 private:
  Result<UserInfo> check_signed(const std::string& token) const;
  const Objects& objects_;
};

}  // namespace skiff::kube
