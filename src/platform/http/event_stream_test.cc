#include "platform/http/event_stream.h"

#include <doctest/doctest.h>

using namespace skiff::platform;

TEST_CASE("an event holds lines and the number of the next") {
  CHECK(encode_event(7, "a b\nc\n") == "id: 7\ndata: a b\ndata: c\n\n");
}
