#include <limits>

#include "base/strings.h"
#include "node/pod/container_builder.h"

namespace skiff::node {

namespace {

std::optional<uint32_t> as_id(std::string_view text) {
  const auto number = parse_uint(text);
  if (!number || *number > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

// The fields of the line whose field `index` is `key`.
std::optional<std::vector<std::string>> find_line(const std::string& text, size_t index,
                                                  std::string_view key) {
  for (const auto& line : split(text, '\n')) {
    auto fields = split(line, ':');
    if (fields.size() > 3 && fields[index] == key) return fields;
  }
  return std::nullopt;
}

std::vector<uint32_t> groups_of(const std::string& user, const std::string& group) {
  std::vector<uint32_t> out;
  for (const auto& line : split(group, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 4) continue;
    for (const auto& member : split(fields[3], ',')) {
      if (const auto id = as_id(fields[2]); id && member == user) out.push_back(*id);
    }
  }
  return out;
}

}  // namespace

Result<UserIds> resolve_user(const std::string& user, const std::string& passwd, const std::string& group) {
  UserIds out;
  if (user.empty()) return out;
  const auto halves = split_once(user, ":");
  const std::string name(halves.before);
  const auto number = as_id(name);
  const auto line = number ? find_line(passwd, 2, name) : find_line(passwd, 0, name);
  if (!number && !line)
    return fail(Code::kInvalidArgument,
                "unable to find user " + name + ": no matching entries in passwd file");
  out.uid = number ? *number : as_id((*line)[2]).value_or(0);
  if (line) {
    out.gid = as_id((*line)[3]).value_or(0);
    out.groups = groups_of((*line)[0], group);
  }
  if (!halves.found) return out;
  const std::string group_name(halves.after);
  const auto gid = as_id(group_name);
  const auto group_line = find_line(group, 0, group_name);
  if (!gid && !group_line) {
    return fail(Code::kInvalidArgument,
                "unable to find group " + group_name + ": no matching entries in group file");
  }
  out.gid = gid ? *gid : as_id((*group_line)[2]).value_or(0);
  return out;
}

}  // namespace skiff::node
