#include "node/images/package_changes.h"

#include <set>

#include "base/strings.h"

namespace skiff::node {

namespace {

struct Stanza {
  std::string package, version;
  bool installed = false;
};

void keep(PackageVersions& known, Stanza& stanza) {
  if (stanza.installed && !stanza.package.empty()) known[stanza.package] = stanza.version;
  stanza = {};
}

}  // namespace

void add_packages(PackageVersions& known, std::string_view status) {
  Stanza stanza;
  for (const auto& line : split(status, '\n')) {
    if (line.empty()) keep(known, stanza);
    const auto halves = split_once(line, ": ");
    if (halves.before == "Package") stanza.package = halves.after;
    if (halves.before == "Version") stanza.version = halves.after;
    if (halves.before == "Status") stanza.installed = halves.after.ends_with(" installed");
  }
  keep(known, stanza);
}

std::vector<PackageChange> compare_packages(const PackageVersions& before, const PackageVersions& after) {
  std::set<std::string> names;
  for (const auto& [name, version] : before) names.insert(name);
  for (const auto& [name, version] : after) names.insert(name);
  std::vector<PackageChange> out;
  for (const auto& name : names) {
    const auto old = before.find(name), fresh = after.find(name);
    PackageChange change{name, old == before.end() ? "" : old->second,
                         fresh == after.end() ? "" : fresh->second};
    if (change.before != change.after) out.push_back(std::move(change));
  }
  return out;
}

std::string describe_change(const PackageChange& change) {
  if (change.before.empty()) return change.package + " " + change.after + " is new";
  if (change.after.empty()) return change.package + " " + change.before + " is gone";
  return change.package + " " + change.before + " → " + change.after;
}

bool has_upgrades(std::string_view simulation) {
  for (const auto& line : split(simulation, '\n')) {
    if (line.starts_with("Inst ") || line.starts_with("Remv ")) return true;
  }
  return false;
}

}  // namespace skiff::node
