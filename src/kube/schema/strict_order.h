// The order in which strict decoding reports what it finds in a body. Inside kube/schema only; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skiff::kube {

// What is reported of `body`, which is JSON: `unknown` findings (`unknown field "spec.foo"`) and the paths of
// `duplicates`, in the order in which a reader of the text meets them. A field that is unknown and stands
// twice is only unknown.
std::vector<std::string> order_findings(std::string_view body, const std::vector<std::string>& unknown,
                                        const std::vector<std::string>& duplicates);
// The same for YAML, of which upstream makes JSON with sorted keys first: by path, items by number.
void sort_findings(std::vector<std::string>& unknown);

}  // namespace skiff::kube
