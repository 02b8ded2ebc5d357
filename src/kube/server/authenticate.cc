#include "kube/server/authenticate.h"

#include <algorithm>

#include "base/strings.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

Error unauthorized() {
  return make_status_error(401, "Unauthorized", "Unauthorized");
}

std::optional<std::string> base64url_decode(std::string text) {
  text = replace_all(replace_all(std::move(text), "-", "+"), "_", "/");
  while (text.size() % 4 != 0) text += '=';
  return base64_decode(text);
}

int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// True while the object that a token names is still the one that it was made for.
bool lives(const Objects& objects, const std::string& plural, const std::string& name_space,
           const json::Value& named) {
  const json::Value object = objects.find({objects.kind("", plural), name_space, named["name"].str()});
  return !object.is_null() && object["metadata"]["uid"] == named["uid"];
}

}  // namespace

bool UserInfo::in_group(std::string_view group) const {
  return std::ranges::find(groups, group) != groups.end();
}

Result<UserInfo> Authenticator::identify(const net::Request& request) const {
  const std::string_view header = request.headers.get("Authorization");
  if (header.starts_with("Bearer ")) return check_token(std::string(trim(header.substr(7))));
  if (!header.empty()) return std::unexpected(unauthorized());
  if (!request.peer.certificate_name.empty()) {
    UserInfo user{request.peer.certificate_name, "", request.peer.certificate_groups};
    user.groups.push_back("system:authenticated");
    return user;
  }
  return UserInfo{"system:anonymous", "", {"system:unauthenticated"}};
}

Result<UserInfo> Authenticator::check_token(const std::string& token) const {
  const StaticToken* found = nullptr;
  for (const auto& candidate : objects_.options().tokens) {
    if (!candidate.token.empty() && equals_constant_time(candidate.token, token)) found = &candidate;
  }
  if (!found) return check_signed(token);
  UserInfo user = found->user;
  user.groups.push_back("system:authenticated");
  return user;
}

Result<UserInfo> Authenticator::check_signed(const std::string& token) const {
  const auto parts = split(token, '.');
  const auto& keys = objects_.options().service_account_keys;
  if (parts.size() != 3 || keys.certificate_pem.empty()) return std::unexpected(unauthorized());
  const auto signature = base64url_decode(parts[2]);
  const auto payload = base64url_decode(parts[1]);
  if (!signature || !payload ||
      !net::verify_es256(keys.certificate_pem, parts[0] + "." + parts[1], *signature)) {
    return std::unexpected(unauthorized());
  }
  auto claims = json::parse(*payload);
  if (!claims || (*claims)["iss"].str() != objects_.options().issuer) return std::unexpected(unauthorized());
  const json::Value& about = (*claims)["kubernetes.io"];
  const std::string& name_space = about["namespace"].str();
  const std::string& name = about["serviceaccount"]["name"].str();
  const bool alive = lives(objects_, "serviceaccounts", name_space, about["serviceaccount"]) &&
                     (about["pod"].is_null() || lives(objects_, "pods", name_space, about["pod"]));
  // A token for another audience is no key to this server.
  bool meant = false;
  for (const auto& audience : (*claims)["aud"].items()) meant |= audience.str() == objects_.options().issuer;
  const bool valid = meant && seconds_of(objects_.loop_wall_now()) < (*claims)["exp"].as_int();
  if (!alive || !valid) return std::unexpected(unauthorized());
  return UserInfo{"system:serviceaccount:" + name_space + ":" + name,
                  about["serviceaccount"]["uid"].str(),
                  {"system:serviceaccounts", "system:serviceaccounts:" + name_space, "system:authenticated"}};
}

Result<std::string> Authenticator::issue(const json::Value& account, const json::Value& bound_pod,
                                         Duration lifetime, const std::vector<std::string>& audiences) const {
  const auto& options = objects_.options();
  if (options.service_account_keys.key_pem.empty()) {
    return fail(Code::kUnavailable, "this server has no key to sign service account tokens");
  }
  const json::Value& metadata = account["metadata"];
  const int64_t now = seconds_of(objects_.loop_wall_now());
  json::Value about = json::Value::object(
      {{"namespace", metadata["namespace"]},
       {"serviceaccount", json::Value::object({{"name", metadata["name"]}, {"uid", metadata["uid"]}})}});
  if (!bound_pod.is_null()) about.set("pod", bound_pod);
  json::Value audience = json::Value::array();
  for (const auto& name : audiences) audience.push_back(name);
  if (audiences.empty()) audience.push_back(options.issuer);
  const json::Value claims = json::Value::object(
      {{"aud", audience},
       {"exp", now + std::chrono::duration_cast<std::chrono::seconds>(lifetime).count()},
       {"iat", now},
       {"iss", options.issuer},
       {"kubernetes.io", about},
       {"nbf", now},
       {"sub", "system:serviceaccount:" + metadata["namespace"].str() + ":" + metadata["name"].str()}});
  const std::string head =
      base64url_encode(R"({"alg":"ES256","typ":"JWT"})") + "." + base64url_encode(json::encode(claims));
  auto signature = net::sign_es256(options.service_account_keys.key_pem, head);
  if (!signature) return std::unexpected(signature.error());
  return head + "." + base64url_encode(*signature);
}

}  // namespace skiff::kube
