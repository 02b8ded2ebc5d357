// What an update of the stack changes: packages and their versions, from dpkg's registry. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::node {

using PackageVersions = std::map<std::string, std::string>;

// The installed packages of a file like /var/lib/dpkg/status, added to what is known; later ones replace.
void add_packages(PackageVersions& known, std::string_view status);

struct PackageChange {
  std::string package, before, after;  // a version is "" where the package was not
};
std::vector<PackageChange> compare_packages(const PackageVersions& before, const PackageVersions& after);
// "libssl3 3.0.16-1 → 3.0.17-1", "libnew 1.0 is new", "libold 1.0 is gone"
std::string describe_change(const PackageChange& change);
// Whether the output of `apt-get -s dist-upgrade` has something to install or remove.
bool has_upgrades(std::string_view simulation);

}  // namespace skiff::node
