#include "kube/server/pod_template.h"

#include "base/strings.h"

namespace skiff::kube {

namespace {

const char* template_path(const Kind& kind) {
  if (kind.group == "batch" && kind.plural == "cronjobs") return "spec.jobTemplate.spec.template";
  if (kind.group == "apps" || kind.group == "batch") return "spec.template";
  if (!kind.group.empty()) return "";
  if (kind.plural == "podtemplates") return "template";
  return kind.plural == "replicationcontrollers" ? "spec.template" : "";
}

}  // namespace

PodTemplate pod_template(const Kind& kind, const json::Value& object) {
  const std::string path = template_path(kind);
  if (path.empty()) return {"", nullptr};
  const json::Value* at = &object;
  for (const auto& name : split(path, '.')) at = &(*at)[name];
  if (at->is_null()) return {"", nullptr};
  return {path, at};
}

}  // namespace skiff::kube
