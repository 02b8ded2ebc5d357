#include "platform/http/list_range.h"

#include <algorithm>

#include "base/strings.h"

namespace skiff::platform {

using json::Value;

Value cut_list(const Value& list, std::string_view range) {
  Value out = list;
  size_t most = list.size();
  for (const auto& piece : split(replace_all(std::string(split_once(range, ";").after), ";", ","), ',')) {
    const auto option = split_once(trim(piece), "=");
    if (option.before == "order" && option.after == "desc") std::ranges::reverse(out.edit_items());
    if (option.before == "max") most = parse_uint(option.after).value_or(most);
  }
  if (most < out.size()) out.edit_items().resize(most);
  return out;
}

}  // namespace skiff::platform
