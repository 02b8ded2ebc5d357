#include "kube/server/impersonate.h"

#include "base/strings.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

constexpr std::string_view kAccountPrefix = "system:serviceaccount:";

std::vector<std::string> values_of(const net::Headers& headers, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& [field, value] : headers.all()) {
    if (to_lower(field) == name) out.push_back(value);
  }
  return out;
}

// {"system", "serviceaccount", namespace, name}, or nothing when the user is no service account.
std::optional<std::vector<std::string>> account_parts(const std::string& user) {
  if (!user.starts_with(kAccountPrefix)) return std::nullopt;
  auto parts = split(user, ':');
  if (parts.size() != 4) return std::nullopt;
  return parts;
}

Attributes taking_on(std::string group, std::string resource, std::string name) {
  Attributes out;
  out.verb = "impersonate";
  out.group = std::move(group);
  out.resource = std::move(resource);
  out.name = std::move(name);
  return out;
}

std::vector<Attributes> wanted_names(const UserInfo& target) {
  std::vector<Attributes> out;
  if (const auto parts = account_parts(target.name)) {
    out.push_back(taking_on("", "serviceaccounts", (*parts)[3]));
    out.back().name_space = (*parts)[2];
  } else {
    out.push_back(taking_on("", "users", target.name));
  }
  for (const auto& group : target.groups) out.push_back(taking_on("", "groups", group));
  if (!target.uid.empty()) out.push_back(taking_on("authentication.k8s.io", "uids", target.uid));
  return out;
}

// The groups that belong to the name itself.
void add_own_groups(UserInfo& target) {
  const auto parts = account_parts(target.name);
  if (parts && target.groups.empty()) {
    target.groups = {"system:serviceaccounts", "system:serviceaccounts:" + (*parts)[2]};
  }
  const std::string own = target.anonymous() ? "system:unauthenticated" : "system:authenticated";
  if (!target.in_group(own)) target.groups.push_back(own);
}

}  // namespace

Result<UserInfo> impersonated(const net::Headers& headers, UserInfo caller, Authorizer& authorizer) {
  UserInfo target{std::string(headers.get("Impersonate-User")), std::string(headers.get("Impersonate-Uid")),
                  values_of(headers, "impersonate-group")};
  if (target.name.empty()) {
    if (target.groups.empty() && target.uid.empty()) return caller;
    return std::unexpected(
        make_status_error(500, "InternalError",
                          "Internal error occurred: requested groups or a uid without impersonating "
                          "a user: send Impersonate-User too"));
  }
  for (const auto& attributes : wanted_names(target)) {
    if (!authorizer.allows(caller, attributes)) return std::unexpected(access_denied(caller, attributes));
  }
  add_own_groups(target);
  return target;
}

}  // namespace skiff::kube
