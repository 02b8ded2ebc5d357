// Texts that several printers share. Pure; internal to kube/print.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace skiff::kube {

const json::Value& name_of(const json::Value& object);
// "5m" since a time stamp; "<unknown>" without one.
std::string age_since(const json::Value& time, WallTime now);
std::string age_of(const json::Value& object, WallTime now);
std::string or_none(std::string text);  // "<none>" for ""
// The texts of one member of each item: names of containers, images.
std::vector<std::string> texts_of(const json::Value& list, std::string_view member);
// "a=b,c=d", "<none>" without labels.
std::string labels_text(const json::Value& labels);
std::string selector_text(const json::Value& selector);  // of a metav1.LabelSelector
// The first three joined, then " + 2 more...".
std::string first_three(const std::vector<std::string>& items);

}  // namespace skiff::kube
