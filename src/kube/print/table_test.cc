#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "kube/print/table.h"

using namespace skiff;
using namespace skiff::kube;
using namespace std::chrono_literals;

namespace {

const WallTime kNow{1'800'000'000s};

json::Value golden() {
  std::ifstream file(std::string(SKIFF_SOURCE_DIR) + "/src/kube/print/testdata/tables.json");
  std::stringstream text;
  text << file.rdbuf();
  auto value = json::parse(text.str());
  REQUIRE(value.has_value());
  return *value;
}

KindPtr kind_of(const Registry& registry, const json::Value& table) {
  auto [before, after, found] = split_once(table["groupVersion"].str(), "/");
  return registry.find(found ? before : "", found ? after : before, table["resource"].str());
}

std::string text_of(const json::Value& cell) {
  return cell.is_string() ? cell.str() : json::encode(cell);
}

// Recorded ages are the placeholder "<age>".
bool agrees(const json::Value& ours, const json::Value& recorded) {
  std::string text = text_of(ours), wanted = text_of(recorded);
  auto [before, after, has_age] = split_once(wanted, "<age>");
  if (!has_age) return text == wanted;
  return text.starts_with(before) && text.ends_with(after) && text.find("<invalid>") == std::string::npos;
}

json::Value text_column(const char* name, const char* type, const char* path) {
  return json::Value::object({{"name", name}, {"type", type}, {"jsonPath", path}});
}

}  // namespace

TEST_CASE("columns and cells are those of a real API server") {
  Registry registry;
  for (const auto& table : golden().items()) {
    auto kind = kind_of(registry, table);
    CAPTURE(table["resource"].str());
    REQUIRE(kind);
    auto columns = table_columns(*kind);
    REQUIRE(columns.size() == table["columns"].size());
    for (size_t i = 0; i < columns.size(); ++i) {
      for (const char* key : {"name", "type", "priority"})
        CHECK(columns.at(i)[key] == table["columns"].at(i)[key]);
      CHECK(columns.at(i)["format"].str() == table["columns"].at(i)["format"].str());
    }
    for (const auto& row : table["rows"].items()) {
      auto ours = table_row(*kind, row["object"], IncludeObject::kNone, kNow);
      CAPTURE(row["cells"].at(0).str());
      REQUIRE(ours["cells"].size() == row["cells"].size());
      for (size_t i = 0; i < columns.size(); ++i) {
        CAPTURE(columns.at(i)["name"].str());
        CHECK_MESSAGE(agrees(ours["cells"].at(i), row["cells"].at(i)), text_of(ours["cells"].at(i)));
      }
    }
  }
}

TEST_CASE("ages read as kubectl's") {
  CHECK(human_duration(-1s) == "0s");
  CHECK(human_duration(-3s) == "<invalid>");
  CHECK(human_duration(119s) == "119s");
  CHECK(human_duration(195s) == "3m15s");
  CHECK(human_duration(2h + 5min) == "125m");
  CHECK(human_duration(3h + 5min) == "3h5m");
  CHECK(human_duration(47h) == "47h");
  CHECK(human_duration(76h) == "3d4h");
  CHECK(human_duration(24h * 12) == "12d");
  CHECK(human_duration(24h * 800) == "2y70d");
}

TEST_CASE("custom kinds print their columns by path") {
  Kind kind;
  kind.custom = true;
  kind.printer_columns = json::Value::array(
      {text_column("Size", "integer", ".spec.size"), text_column("When", "date", ".spec.when"),
       text_column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
       text_column("Dotted", "string", ".metadata.labels['a.b/c']"),
       text_column("None", "string", ".no.such[3]")});
  auto object = *json::parse(R"({"metadata":{"name":"g","labels":{"a.b/c":"d"}},
    "spec":{"size":3,"when":"2026-09-21T13:46:00Z"},"status":{"conditions":[{"type":"Ready","status":"True"}]}})");
  auto row = table_row(kind, object, IncludeObject::kMetadata, kNow);
  CHECK(row["cells"].at(0).str() == "g");
  CHECK(row["cells"].at(1).as_int() == 3);
  CHECK(row["cells"].at(3).str() == "True");
  CHECK(row["cells"].at(4).str() == "d");
  CHECK(row["cells"].at(5).is_null());
  CHECK(row["object"]["kind"].str() == "PartialObjectMetadata");
  kind.printer_columns = nullptr;
  CHECK(table_columns(kind).at(1)["name"].str() == "Age");
}

TEST_CASE("a table carries the metadata of its list") {
  Registry registry;
  auto kind = registry.find("", "v1", "configmaps");
  REQUIRE(kind);
  auto metadata = json::Value::object({{"resourceVersion", "7"}});
  auto object = *json::parse(R"({"metadata":{"name":"c","creationTimestamp":"2026-09-21T13:46:00Z"}})");
  auto table = make_table(*kind, {object}, metadata, IncludeObject::kObject, kNow);
  CHECK(table["metadata"]["resourceVersion"].str() == "7");
  CHECK(table["rows"].at(0)["object"] == object);
  CHECK(make_table(*kind, {}, metadata, IncludeObject::kNone, kNow)["rows"].is_array());
}
