// The order of merged lists: what a patch names comes in the patch's order, what only the server has stays
// where it stood relative to them. Pure; internal to kube/patch.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace skiff::kube {

// Elements are the same when they have the same merge key value; with an empty key when they are equal. Gives
// a text that is equal for the same elements: lists may be long, so they are indexed by it and never
// searched.
std::string element_identity(const json::Value& element, std::string_view merge_key);
// Orders `merged` by `wanted` (the patch or $setElementOrder) and `server` (the list before).
json::Array order_elements(const json::Array& merged, const json::Array& wanted, const json::Array& server,
                           std::string_view merge_key);
// kInternal (upstream answers 500) when `patch` holds an element that `order` lacks, or in another order.
Result<void> check_element_order(const json::Array& patch, const json::Array& order,
                                 std::string_view merge_key);

}  // namespace skiff::kube
