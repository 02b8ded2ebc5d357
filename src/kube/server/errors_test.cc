// Requests recorded against a real API server, replayed in order; what differs must be in
// known_differences.txt.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

std::string read_text(const std::string& name) {
  std::ifstream file(std::string(SKIFF_SOURCE_DIR) + "/src/kube/server/testdata/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Lines are "case<tab>why".
std::set<std::string> known_differences() {
  std::set<std::string> out;
  std::istringstream lines(read_text("known_differences.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != '#') out.insert(line.substr(0, line.find('\t')));
  }
  return out;
}

// What the recorded requests find in their namespace.
void furnish(ServerRig& rig) {
  const std::string core = "/api/v1/namespaces/errors/";
  rig.ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":"errors"}})");
  rig.ask("POST", core + "serviceaccounts", R"({"metadata":{"name":"default"}})");
  rig.ask("POST", core + "configmaps", R"({"metadata":{"name":"cm"},"data":{"a":"b"}})");
  rig.ask("POST", core + "pods",
          R"({"metadata":{"name":"pod"},"spec":{"containers":[{"name":"c","image":"x"}]}})");
  rig.ask("POST", core + "services", R"({"metadata":{"name":"svc"},"spec":{"ports":[{"port":80}]}})");
  rig.ask("POST", "/apis/apps/v1/namespaces/errors/deployments", R"({"metadata":{"name":"d"},"spec":{
    "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
    "spec":{"containers":[{"name":"c","image":"x"}]}}}})");
}

TEST_CASE("recorded requests get the recorded codes and messages") {
  ServerRig rig;
  furnish(rig);
  auto cases = json::parse(read_text("errors.json"));
  REQUIRE(cases.has_value());
  const auto known = known_differences();
  size_t same = 0;
  for (const auto& item : cases->items()) {
    const std::string& name = item["case"].str();
    const auto answer = rig.ask(item["method"].str(), item["path"].str(), item["body"].str(),
                                item["contentType"].str_or("application/json"));
    const std::string& message = item["message"].str();
    const bool equal = answer.status == item["code"].as_int() &&
                       (message.empty() || answer.body["message"].str() == message);
    same += equal;
    if (known.contains(name)) continue;
    CHECK_MESSAGE(equal, name, ": ", answer.status, " instead of ", item["code"].as_int(), ": ",
                  answer.text.substr(0, 600));
  }
  MESSAGE(same, " of ", cases->size(), " answers equal the recorded ones");
}

}  // namespace
}  // namespace skiff::kube
