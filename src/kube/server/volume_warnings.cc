// Files of a volume that would lie at one path, or one below another.
#include <fmt/format.h>

#include <map>

#include "base/json.h"
#include "kube/server/pod_warnings.h"

namespace skiff::kube {

namespace {

using json::Value;

struct File {
  std::string path;
  std::string source;  // "" in a volume of one source
  std::string shown() const {
    const std::string quoted = json::encode(Value(path));
    return source.empty() ? quoted : quoted + " (" + source + ")";
  }
};

// Enough to know what is wrong; no path of a file is longer than Linux takes, and few lie so deep.
constexpr size_t kMostWarnings = 100, kLongestPath = 4096, kMostFolders = 64;

std::string named(const char* kind, const Value& name) {
  return fmt::format("{} {}", kind, json::encode(Value(name.str())));
}

// One volume's files so far.
class Overlaps {
 public:
  Overlaps(const Value& volume, std::string kind, std::vector<std::string>& out)
      : volume_(json::encode(Value(volume["name"].str()))), kind_(std::move(kind)), out_(out) {}
  void add(const Value& path, const std::string& source) {
    File file{path.str(), source};
    while (file.path.ends_with('/')) file.path.pop_back();
    if (file.path.empty() || file.path.size() > kLongestPath) return;
    size_t folders = 0;
    for (size_t end = file.path.find('/'); end != std::string::npos && ++folders <= kMostFolders;
         end = file.path.find('/', end + 1))
      note_all(file, files_.equal_range(file.path.substr(0, end)));
    note_all(file, files_.equal_range(file.path));
    // '0' is the character after '/'.
    note_all(file, {files_.lower_bound(file.path + "/"), files_.lower_bound(file.path + "0")});
    files_.emplace(file.path, std::move(file));
  }
  void add_items(const Value& items, const std::string& source) {
    for (const auto& item : items.items()) add(item["path"], source);
  }
  void add_source(const Value& source) {
    const bool any = !source["configMap"].is_null() || !source["secret"].is_null() ||
                     !source["downwardAPI"].is_null() || !source["serviceAccountToken"].is_null() ||
                     !source["clusterTrustBundle"].is_null();
    if (!any && out_.size() < kMostWarnings)
      out_.push_back(fmt::format("volume {} (Projected) has no sources provided", volume_));
    add_items(source["configMap"]["items"], named("ConfigMap", source["configMap"]["name"]));
    add_items(source["secret"]["items"], named("Secret", source["secret"]["name"]));
    add_items(source["downwardAPI"]["items"], "DownwardAPI");
    if (const auto& token = source["serviceAccountToken"]; !token.is_null())
      add(token["path"], "ServiceAccountToken");
  }

 private:
  using Files = std::multimap<std::string, File>;
  // The files of the range overlap with this one.
  void note_all(const File& file, std::pair<Files::iterator, Files::iterator> others) {
    for (auto at = others.first; at != others.second && out_.size() < kMostWarnings; ++at) {
      out_.push_back(fmt::format("volume {} ({}): overlapping paths: {} with {}", volume_, kind_,
                                 file.shown(), at->second.shown()));
    }
  }

  std::string volume_, kind_;
  Files files_;
  std::vector<std::string>& out_;
};

}  // namespace

std::vector<std::string> volume_warnings(const Value& volumes) {
  std::vector<std::string> out;
  for (const auto& volume : volumes.items()) {
    Overlaps(volume, named("ConfigMap", volume["configMap"]["name"]), out)
        .add_items(volume["configMap"]["items"], "");
    Overlaps(volume, named("Secret", volume["secret"]["secretName"]), out)
        .add_items(volume["secret"]["items"], "");
    Overlaps(volume, "DownwardAPI", out).add_items(volume["downwardAPI"]["items"], "");
    Overlaps projected(volume, "Projected", out);
    for (const auto& source : volume["projected"]["sources"].items()) projected.add_source(source);
  }
  return out;
}

}  // namespace skiff::kube
