#include "cli/event_reader.h"

#include <doctest/doctest.h>

using namespace skiff::cli;

TEST_CASE("events come whole however the stream is cut") {
  const std::string stream = "retry: 1\n\nid: 2\ndata: a: b\ndata: c\n\n:\n\nid: 3\ndata:d\n\n";
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    EventReader reader;
    std::string got;
    const auto sink = [&](std::string_view lines) { got += lines; };
    reader.add(std::string_view(stream).substr(0, cut), sink);
    reader.add(std::string_view(stream).substr(cut), sink);
    CHECK(got == "a: b\nc\nd\n");
    CHECK(reader.last_id() == "3");
  }
}

TEST_CASE("an event that was cut off does not count") {
  EventReader reader;
  std::string got;
  const auto sink = [&](std::string_view lines) { got += lines; };
  reader.add("id: 2\ndata: whole\n\nid: 3\ndata: half", sink);
  CHECK(reader.last_id() == "2");
  reader.restart();
  reader.add("id: 3\ndata: again\n\n", sink);
  CHECK(got == "whole\nagain\n");
}
