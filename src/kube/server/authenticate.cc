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

// The same for what a token is bound to. The node of a pod's token only says where the pod was.
bool bound_lives(const Objects& objects, const std::string& name_space, const json::Value& about) {
  if (const auto* pod = about.find("pod")) return lives(objects, "pods", name_space, *pod);
  if (const auto* secret = about.find("secret")) return lives(objects, "secrets", name_space, *secret);
  const auto* node = about.find("node");
  return node == nullptr || lives(objects, "nodes", "", *node);
}

Result<net::PublicKey> public_key(const ServerOptions& options) {
  return net::es256_public_key(options.service_account_keys.certificate_pem);
}

// Names the key in tokens and in the key set.
std::string key_id(const net::PublicKey& key) {
  return base64url_encode(net::sha256(key.der));
}

json::Value reference_to(const json::Value& object) {
  return json::Value::object({{"name", object["metadata"]["name"]}, {"uid", object["metadata"]["uid"]}});
}

std::string go_list(const json::Value& items) {
  std::string out;
  for (const auto& item : items.items()) out += (out.empty() ? "" : " ") + json::encode(item);
  return "[" + out + "]";
}
std::string go_list(const std::vector<std::string>& items) {
  json::Value out = json::Value::array();
  for (const auto& item : items) out.push_back(item);
  return go_list(out);
}

std::vector<std::pair<std::string, std::string>> extras_of(const json::Value& claims) {
  const std::string prefix = "authentication.kubernetes.io/";
  std::vector<std::pair<std::string, std::string>> out;
  if (const auto& id = claims["jti"].str(); !id.empty())
    out.emplace_back(prefix + "credential-id", "JTI=" + id);
  const json::Value& about = claims["kubernetes.io"];
  for (const char* kind : {"node", "pod"}) {
    if (about[kind].is_null()) continue;
    for (const char* field : {"name", "uid"})
      out.emplace_back(prefix + kind + "-" + field, about[kind][field].str());
  }
  return out;
}

}  // namespace

bool UserInfo::in_group(std::string_view group) const {
  return std::ranges::find(groups, group) != groups.end();
}

Result<UserInfo> Authenticator::identify(const net::Request& request) const {
  const std::string_view header = request.headers.get("Authorization");
  if (header.starts_with("Bearer ")) {
    auto proof = check_token(std::string(trim(header.substr(7))));
    if (!proof) return std::unexpected(unauthorized());
    return std::move(proof->user);
  }
  if (!header.empty()) return std::unexpected(unauthorized());
  if (!request.peer.certificate_name.empty()) {
    UserInfo user{request.peer.certificate_name, "", request.peer.certificate_groups};
    user.groups.push_back("system:authenticated");
    return user;
  }
  return UserInfo{"system:anonymous", "", {"system:unauthenticated"}};
}

Result<Authenticator::Proof> Authenticator::check_token(const std::string& token,
                                                        std::vector<std::string> wanted) const {
  const std::string& own = objects_.options().issuer;
  if (wanted.empty()) wanted = {own};
  const StaticToken* found = nullptr;
  for (const auto& candidate : objects_.options().tokens) {
    if (!candidate.token.empty() && equals_constant_time(candidate.token, token)) found = &candidate;
  }
  if (!found) return check_signed(token, wanted);
  // A token of this server's is meant for nobody else.
  if (std::ranges::find(wanted, own) == wanted.end()) return std::unexpected(unauthorized());
  UserInfo user = found->user;
  user.groups.push_back("system:authenticated");
  return Proof{std::move(user), {own}};
}

Result<Authenticator::Proof> Authenticator::check_signed(const std::string& token,
                                                         const std::vector<std::string>& wanted) const {
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
                     bound_lives(objects_, name_space, about);
  const bool fresh = seconds_of(objects_.loop_wall_now()) < (*claims)["exp"].as_int();
  if (!alive || !fresh) return std::unexpected(unauthorized());
  // A token for another audience is no key to whoever asks.
  Proof proof;
  for (const auto& audience : (*claims)["aud"].items()) {
    if (std::ranges::find(wanted, audience.str()) != wanted.end()) proof.audiences.push_back(audience.str());
  }
  if (proof.audiences.empty()) {
    return std::unexpected(make_status_error(401, "Unauthorized",
                                             "token audiences " + go_list((*claims)["aud"]) +
                                                 " is invalid for the target audiences " + go_list(wanted)));
  }
  proof.user = {"system:serviceaccount:" + name_space + ":" + name,
                about["serviceaccount"]["uid"].str(),
                {"system:serviceaccounts", "system:serviceaccounts:" + name_space, "system:authenticated"},
                extras_of(*claims)};
  return proof;
}

json::Value Authenticator::claims_about(const json::Value& account, const json::Value& bound) const {
  const json::Value& metadata = account["metadata"];
  json::Value about = json::Value::object({{"namespace", metadata["namespace"]}});
  if (const auto* pod_claim = bound.find("pod")) {
    const json::Value pod =
        objects_.find({objects_.kind("", "pods"), metadata["namespace"].str(), (*pod_claim)["name"].str()});
    const std::string& node_name = pod["spec"]["nodeName"].str();
    const json::Value node =
        node_name.empty() ? json::Value() : objects_.find({objects_.kind("", "nodes"), "", node_name});
    if (!node.is_null()) about.set("node", reference_to(node));
  }
  for (const auto& [kind, reference] : bound.members()) about.set(kind, reference);
  about.set("serviceaccount", reference_to(account));
  return about;
}

Result<std::string> Authenticator::issue(const json::Value& account, const json::Value& bound,
                                         Duration lifetime, const std::vector<std::string>& audiences) const {
  const auto& options = objects_.options();
  auto key = public_key(options);
  if (!key || options.service_account_keys.key_pem.empty()) {
    return fail(Code::kUnavailable, "this server has no key to sign service account tokens");
  }
  const json::Value& metadata = account["metadata"];
  const int64_t now = seconds_of(objects_.loop_wall_now());
  json::Value audience = json::Value::array();
  for (const auto& name : audiences) audience.push_back(name);
  if (audiences.empty()) audience.push_back(options.issuer);
  const json::Value claims = json::Value::object(
      {{"aud", audience},
       {"exp", now + std::chrono::duration_cast<std::chrono::seconds>(lifetime).count()},
       {"iat", now},
       {"iss", options.issuer},
       {"jti", make_uuid(objects_.loop().random())},
       {"kubernetes.io", claims_about(account, bound)},
       {"nbf", now},
       {"sub", "system:serviceaccount:" + metadata["namespace"].str() + ":" + metadata["name"].str()}});
  const json::Value form = json::Value::object({{"alg", "ES256"}, {"kid", key_id(*key)}, {"typ", "JWT"}});
  const std::string head =
      base64url_encode(json::encode(form)) + "." + base64url_encode(json::encode(claims));
  auto signature = net::sign_es256(options.service_account_keys.key_pem, head);
  if (!signature) return std::unexpected(signature.error());
  return head + "." + base64url_encode(*signature);
}

Result<json::Value> Authenticator::discovery() const {
  const auto& options = objects_.options();
  if (options.service_account_keys.certificate_pem.empty())
    return fail(Code::kUnavailable, "this server issues no service account tokens");
  const std::string host = options.advertise_address.empty() ? "127.0.0.1" : options.advertise_address;
  return json::Value::object(
      {{"issuer", options.issuer},
       {"jwks_uri", "https://" + host + ":" + std::to_string(options.secure_port) + "/openid/v1/jwks"},
       {"response_types_supported", json::Value::array({"id_token"})},
       {"subject_types_supported", json::Value::array({"public"})},
       {"id_token_signing_alg_values_supported", json::Value::array({"ES256"})}});
}

Result<json::Value> Authenticator::key_set() const {
  auto key = public_key(objects_.options());
  if (!key) return std::unexpected(key.error());
  const json::Value entry = json::Value::object({{"use", "sig"},
                                                 {"kty", "EC"},
                                                 {"kid", key_id(*key)},
                                                 {"crv", "P-256"},
                                                 {"alg", "ES256"},
                                                 {"x", base64url_encode(key->x)},
                                                 {"y", base64url_encode(key->y)}});
  return json::Value::object({{"keys", json::Value::array({entry})}});
}

}  // namespace skiff::kube
