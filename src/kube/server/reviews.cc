// Kinds that are questions: may I, may they, who am I, whose token is this. Answered, never stored.
#include "kube/server/authenticate.h"
#include "kube/server/authorize.h"
#include "kube/server/routes.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

json::Value user_object(const UserInfo& user) {
  json::Value groups = json::Value::array();
  for (const auto& group : user.groups) groups.push_back(group);
  json::Value out = json::Value::object({{"username", user.name}, {"groups", std::move(groups)}});
  if (!user.uid.empty()) out.set("uid", user.uid);
  for (const auto& [name, value] : user.extra) out.edit("extra").set(name, json::Value::array({value}));
  return out;
}

Attributes asked(const json::Value& spec) {
  Attributes out;
  if (const auto* path = spec.find("nonResourceAttributes"); path && !path->is_null()) {
    out.is_resource = false;
    out.verb = (*path)["verb"].str();
    out.path = (*path)["path"].str();
    return out;
  }
  const json::Value& resource = spec["resourceAttributes"];
  out.verb = resource["verb"].str();
  out.group = resource["group"].str();
  out.resource = resource["resource"].str();
  out.subresource = resource["subresource"].str();
  out.name_space = resource["namespace"].str();
  out.name = resource["name"].str();
  return out;
}

UserInfo user_of(const json::Value& spec) {
  UserInfo user{spec["user"].str(), spec["uid"].str(), {}};
  for (const auto& group : spec["groups"].items()) user.groups.push_back(group.str());
  return user;
}

json::Value rules_status(const std::vector<json::Value>& rules, bool master) {
  json::Value resources = json::Value::array(), paths = json::Value::array();
  if (master) {
    const json::Value all = json::Value::array({"*"});
    resources.push_back(json::Value::object({{"verbs", all}, {"apiGroups", all}, {"resources", all}}));
    paths.push_back(json::Value::object({{"verbs", all}, {"nonResourceURLs", all}}));
  }
  for (const auto& rule : rules) {
    if (rule["nonResourceURLs"].empty()) {
      resources.push_back(rule);
    } else {
      paths.push_back(rule);
    }
  }
  return json::Value::object(
      {{"resourceRules", resources}, {"nonResourceRules", paths}, {"incomplete", false}});
}

json::Value access_status(const Authorizer::Decision& decision) {
  json::Value out = json::Value::object({{"allowed", decision.allowed}});
  if (!decision.reason.empty()) out.set("reason", decision.reason);
  return out;
}

// A review of one namespace is asked there: what names none is of the path's.
Result<void> fit_to_path(const Exchange& exchange, json::Value& review) {
  if (!exchange.kind->namespaced) return {};
  const std::string& home = exchange.info.name_space;
  if (review["metadata"]["namespace"].str_or(home) != home) {
    return std::unexpected(
        bad_request("the namespace of the provided object does not match the namespace sent on the request"));
  }
  review.edit("metadata").set("namespace", home);
  return {};
}

Result<void> check_review(const Exchange& exchange, json::Value& review) {
  SKIFF_RETURN_IF_ERROR(fit_to_path(exchange, review));
  const Kind& kind = *exchange.kind;
  if (auto errors = validate(kind, review, nullptr); !errors.empty())
    return std::unexpected(invalid(kind.group, kind.kind, "", errors));
  if (kind.kind == "SelfSubjectRulesReview" && review["spec"]["namespace"].empty())
    return std::unexpected(bad_request("no namespace on request"));
  return {};
}

std::vector<std::string> strings_of(const json::Value& list) {
  std::vector<std::string> out;
  for (const auto& item : list.items()) out.push_back(item.str());
  return out;
}

json::Value token_status(const Result<Authenticator::Proof>& proof) {
  if (!proof) {
    // A token that nobody knows is told from one that is meant for others.
    const bool plain = proof.error().message == "Unauthorized";
    return json::Value::object(
        {{"user", json::Value::object()}, {"error", plain ? "invalid bearer token" : proof.error().message}});
  }
  json::Value audiences = json::Value::array();
  for (const auto& audience : proof->audiences) audiences.push_back(audience);
  return json::Value::object(
      {{"authenticated", true}, {"user", user_object(proof->user)}, {"audiences", std::move(audiences)}});
}

}  // namespace

io::Task<void> serve_review(Exchange& exchange) {
  auto review = co_await read_object(exchange, *exchange.kind);
  if (!review) {
    co_await send_error(exchange, review.error());
    co_return;
  }
  const auto fits = check_review(exchange, *review);
  if (!fits) {
    co_await send_error(exchange, fits.error());
    co_return;
  }
  const std::string& name = exchange.kind->kind;
  const json::Value spec = (*review)["spec"];
  Authorizer& authorizer = exchange.authorizer;
  if (name == "SelfSubjectAccessReview" || name == "SubjectAccessReview" ||
      name == "LocalSubjectAccessReview") {
    const UserInfo user = name == "SelfSubjectAccessReview" ? exchange.user : user_of(spec);
    review->set("status", access_status(authorizer.decide(user, asked(spec))));
  } else if (name == "SelfSubjectRulesReview") {
    const auto rules = authorizer.rules_for(exchange.user, spec["namespace"].str());
    review->set("status", rules_status(rules, exchange.user.in_group("system:masters")));
  } else if (name == "SelfSubjectReview") {
    review->set("status", json::Value::object({{"userInfo", user_object(exchange.user)}}));
  } else if (name == "TokenReview") {
    if (spec["token"].str().empty()) {
      co_await send_error(exchange, bad_request("token is required for TokenReview in authentication"));
      co_return;
    }
    const auto proof = exchange.authenticator.check_token(spec["token"].str(), strings_of(spec["audiences"]));
    review->set("status", token_status(proof));
  } else {
    co_await send_error(exchange, method_not_allowed());
    co_return;
  }
  co_await send_json(exchange, 201, std::move(*review));
}

}  // namespace skiff::kube
