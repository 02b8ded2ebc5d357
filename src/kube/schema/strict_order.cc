#include "kube/schema/strict_order.h"

#include <algorithm>
#include <bitset>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/strings.h"

namespace skiff::kube {
namespace {

struct Noted {
  bool duplicate = false, reported = false;
  int seen = 0;
};
using NotedByPath = std::map<std::string, Noted, std::less<>>;

std::string unknown_text(std::string_view path) {
  return fmt::format("unknown field \"{}\"", path);
}
std::string duplicate_text(std::string_view path) {
  return fmt::format("duplicate field \"{}\"", path);
}

// Goes through the keys of a text that is known to be JSON.
class KeyWalk {
 public:
  KeyWalk(std::string_view text, NotedByPath& noted, std::vector<std::string>& out)
      : text_(text), noted_(noted), out_(out), left_(noted.size()) {
    for (const auto& [path, one] : noted_) lengths_.set(std::min(path.size(), json::kMaxShownPath));
  }

  void run() {
    while (at_ < text_.size() && left_ > 0) {
      const char c = text_[at_];
      if (c == '"') {
        take_string();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') {
        open_.push_back({c == '[', 0, path_.size()});
        start_member();
      } else if ((c == '}' || c == ']') && !open_.empty()) {
        path_.resize(open_.back().path_size);
        open_.pop_back();
        key_next_ = false;
      } else if (c == ',' && !open_.empty()) {
        path_.resize(open_.back().path_size);
        ++open_.back().index;
        start_member();
      }
    }
  }

 private:
  struct Open {
    bool is_array;
    size_t index, path_size;
  };

  void start_member() {
    key_next_ = !open_.back().is_array;
    if (open_.back().is_array) path_ += fmt::format("[{}]", open_.back().index);
  }

  void take_string() {
    const size_t from = at_++;
    bool escaped = false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\') continue;
      escaped = true;
      ++at_;
    }
    ++at_;
    if (!std::exchange(key_next_, false)) return;
    const std::string_view quoted = text_.substr(from, at_ - from);
    if (!path_.empty()) path_ += '.';
    const auto key = escaped ? json::parse(quoted) : Result<json::Value>(json::Value());
    path_ += escaped && key ? key->str() : quoted.substr(1, quoted.size() - 2);
    meet(std::string_view(path_).substr(0, json::kMaxShownPath));
  }

  void meet(std::string_view path) {
    if (!lengths_.test(path.size())) return;
    const auto found = noted_.find(path);
    if (found == noted_.end() || found->second.reported) return;
    Noted& one = found->second;
    if (++one.seen < (one.duplicate ? 2 : 1)) return;
    one.reported = true;
    --left_;
    out_.push_back(one.duplicate ? duplicate_text(path) : unknown_text(path));
  }

  std::string_view text_;
  NotedByPath& noted_;
  std::vector<std::string>& out_;
  size_t left_, at_ = 0;
  bool key_next_ = false;
  std::string path_;
  std::vector<Open> open_;
  std::bitset<json::kMaxShownPath + 1> lengths_;  // of the paths that are looked for
};

// A name, or an item of a list.
struct Part {
  std::string_view name;
  uint64_t item = 0;
  auto operator<=>(const Part&) const = default;
};

// The first part of the path of "spec.ports[0].name", which loses it.
Part take_part(std::string_view& path) {
  if (path.starts_with('.') || path.starts_with('[')) path.remove_prefix(1);
  const size_t end = std::min(path.find_first_of(".[]"), path.size());
  const std::string_view part = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  const auto item = parse_uint(part);
  if (item) return {"", *item};
  return {part, 0};
}

bool comes_before(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const auto order = take_part(a) <=> take_part(b);
    if (order != 0) return order < 0;
  }
  return a.empty() && !b.empty();
}

}  // namespace

void sort_findings(std::vector<std::string>& unknown) {
  const size_t head = unknown_text("").size() - 1;  // up to the path
  const auto path = [head](std::string_view finding) {
    return finding.substr(head, finding.size() - head - 1);
  };
  std::ranges::sort(
      unknown, [&](const std::string& a, const std::string& b) { return comes_before(path(a), path(b)); });
}

std::vector<std::string> order_findings(std::string_view body, const std::vector<std::string>& unknown,
                                        const std::vector<std::string>& duplicates) {
  NotedByPath noted;
  for (const auto& path : duplicates) noted[path].duplicate = true;
  const size_t head = unknown_text("").size() - 1;  // up to the path
  for (const auto& finding : unknown) {
    noted[finding.substr(head, finding.size() - head - 1)].duplicate = false;
  }
  std::vector<std::string> out;
  KeyWalk(body, noted, out).run();
  for (const auto& [path, one] : noted) {
    if (!one.reported) out.push_back(one.duplicate ? duplicate_text(path) : unknown_text(path));
  }
  return out;
}

}  // namespace skiff::kube
