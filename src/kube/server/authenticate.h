// Who a caller is: client certificate, static token, service account token, else anonymous.
#pragma once

#include "kube/server/objects.h"
#include "net/http.h"

namespace skiff::kube {

class Authenticator {
 public:
  explicit Authenticator(Objects& objects) : objects_(objects) {}
  // 401 for a token that proves nobody.
  Result<UserInfo> identify(const net::Request& request) const;
  // Who a token proves, and for which of the wanted audiences it is meant; none wanted: this server's own.
  struct Proof {
    UserInfo user;
    std::vector<std::string> audiences;
  };
  Result<Proof> check_token(const std::string& token, std::vector<std::string> wanted = {}) const;
  // OpenID Connect discovery: who issues the tokens, and the keys that prove them. Unavailable without keys.
  Result<json::Value> discovery() const;
  Result<json::Value> key_set() const;
  // A signed token for the account; Unavailable without keys. `bound` names what the token ends with, as
  // its claims do ({"secret": {name, uid}}); null for none.
  Result<std::string> issue(const json::Value& account, const json::Value& bound, Duration lifetime,
                            const std::vector<std::string>& audiences) const;

 private:
  Result<Proof> check_signed(const std::string& token, const std::vector<std::string>& wanted) const;
  json::Value claims_about(const json::Value& account, const json::Value& bound) const;
  Objects& objects_;
};

}  // namespace skiff::kube
