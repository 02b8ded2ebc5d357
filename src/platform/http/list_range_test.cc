#include "platform/http/list_range.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;
using json::Value;

TEST_CASE("a range turns and bounds a list, in any order of its words") {
  const Value list = Value::array({1, 2, 3});
  CHECK(json::encode(cut_list(list, "")) == "[1,2,3]");
  CHECK(json::encode(cut_list(list, "version ..; order=desc,max=1")) == "[3]");
  CHECK(json::encode(cut_list(list, "version ..; max=2, order=desc")) == "[3,2]");
  CHECK(json::encode(cut_list(list, "id ..; max=2;")) == "[1,2]");
  CHECK(json::encode(cut_list(list, "id ..; max=2")) == "[1,2]");
  CHECK(json::encode(cut_list(list, "version ..; order=desc")) == "[3,2,1]");
  CHECK(json::encode(cut_list(list, "version ..; max=many, order=asc")) == "[1,2,3]");
}
