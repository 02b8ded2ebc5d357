// The grammar of label selectors: "a=b,c in (d,e),!f,g". Pure; internal to kube/selector.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/selector/selector.h"

namespace skiff::kube {

Result<std::vector<Requirement>> parse_label_requirements(std::string_view text);
// Checks key, number of values and their form, with upstream's error texts.
Result<void> check_requirement(const Requirement& requirement);

}  // namespace skiff::kube
