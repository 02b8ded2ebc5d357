// Where kinds that make pods keep the template of those. Pure.
#pragma once

#include <string>

#include "kube/schema/schema.h"

namespace skiff::kube {

struct PodTemplate {
  std::string path;          // "spec.template"; "" when the kind makes no pods
  const json::Value* value;  // null then, too; lives as long as the object
};
PodTemplate pod_template(const Kind& kind, const json::Value& object);

}  // namespace skiff::kube
