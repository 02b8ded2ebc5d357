#include "kube/pod_security/checks.h"

namespace skiff::kube {

namespace {

constexpr int kWindowsExempt = 25;

template <typename Items>
std::string quote_all(const Items& items) {
  std::string out;
  for (const auto& item : items) {
    out += out.empty() ? "\"" : ", \"";
    out += item + "\"";
  }
  return out;
}

}  // namespace

void PodView::each_container(const std::function<void(const json::Value& container)>& visit) const {
  for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const auto& container : spec[list].items()) visit(container);
  }
}

bool PodView::exempt_as_windows() const {
  return minor >= kWindowsExempt && spec["os"]["name"].str() == "windows";
}

std::string count_word(const char* one, const char* many, size_t count) {
  return count == 1 ? one : many;
}

std::string quoted(const std::set<std::string>& items) {
  return quote_all(items);
}
std::string quoted(const std::vector<std::string>& items) {
  return quote_all(items);
}

std::string named_containers(const std::vector<std::string>& names) {
  return count_word("container ", "containers ", names.size()) + quoted(names);
}

std::string setters(bool pod, const std::vector<std::string>& containers) {
  if (containers.empty()) return pod ? "pod" : "";
  return (pod ? "pod and " : "") + named_containers(containers);
}

Offenders find_offenders(const PodView& pod, const std::function<bool(const json::Value& context)>& wrong) {
  Offenders out;
  const json::Value& context = pod.spec["securityContext"];
  if (!context.is_null()) out.pod = wrong(context);
  pod.each_container([&](const json::Value& container) {
    const json::Value& own = container["securityContext"];
    if (!own.is_null() && wrong(own)) out.containers.push_back(container["name"].str());
  });
  return out;
}

}  // namespace skiff::kube
