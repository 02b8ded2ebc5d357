// Requests recorded against a real API server, replayed in order; what differs must be in
// known_differences.txt, and what is there must differ.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
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

io::Task<void> forget(store::Store& store) {
  auto done = co_await store.compact(store.current());
  SKIFF_CHECK(done.has_value());
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
  rig.ask("POST", "/api/v1/namespaces",
          R"({"metadata":{"name":"errors","labels":{"pod-security.kubernetes.io/enforce":"privileged"}}})");
  rig.ask("POST", core + "serviceaccounts", R"({"metadata":{"name":"default"}})");
  rig.ask("POST", core + "configmaps", R"({"metadata":{"name":"cm"},"data":{"a":"b"}})");
  rig.ask("POST", core + "configmaps", R"({"metadata":{"name":"imm"},"data":{"a":"b"},"immutable":true})");
  rig.ask("POST", core + "configmaps", R"({"metadata":{"name":"fin","finalizers":["example.com/f"]}})");
  rig.ask("POST", core + "secrets", R"({"metadata":{"name":"sec"},"type":"Opaque"})");
  rig.ask("POST", core + "pods",
          R"({"metadata":{"name":"pod"},"spec":{"containers":[{"name":"c","image":"x"}]}})");
  rig.ask("POST", core + "services", R"({"metadata":{"name":"svc"},"spec":{"ports":[{"port":80}]}})");
  rig.ask("POST", core + "services",
          R"({"metadata":{"name":"taken"},"spec":{"clusterIP":"10.96.0.9","ports":[{"port":80}]}})");
  rig.ask("POST", "/apis/apps/v1/namespaces/errors/deployments", R"({"metadata":{"name":"d"},"spec":{
    "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
    "spec":{"containers":[{"name":"c","image":"x"}]}}}})");
  rig.ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":"term"}})");
  rig.ask("DELETE", "/api/v1/namespaces/term");
  rig.run(forget(*rig.store));
}

std::string replace_first(std::string text, std::string_view from, const std::string& to) {
  const size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// Bodies too large for the data file, and values that each run of a server has anew.
std::string fill(const std::string& body) {
  const std::string head = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x")";
  const auto with_data = [&](size_t size) {
    return head + R"(},"data":{"a":")" + std::string(size, 'x') + "\"}}";
  };
  if (body.starts_with("<object whose data.a has 3200000")) return with_data(3200000);
  if (body.starts_with("<object whose data.a has 1048577")) return with_data(1048577);
  if (body.starts_with("<object whose annotation a has"))
    return head + R"(,"annotations":{"a":")" + std::string(262145, 'x') + "\"}}}";
  if (body.starts_with("<10001 test operations>")) {
    std::string list = "[";
    for (int i = 0; i < 10000; ++i) list += R"({"op":"test","path":"/data/a","value":"b"},)";
    return list + R"({"op":"test","path":"/data/a","value":"b"}])";
  }
  return replace_first(replace_first(body, "<rv>", "1"), "<uid>", "00000000-0000-4000-8000-000000000000");
}

// "<rv>", "<uid>" and "<suffix>" in the recorded text stand for a word that differs from run to run, "<rest>"
// for what Go prints of its own structs.
bool same_text(std::string_view recorded, std::string_view said) {
  for (;;) {
    size_t at = std::string_view::npos;
    for (const std::string_view mark : {"<rv>", "<uid>", "<suffix>", "<rest>"})
      at = std::min(at, recorded.find(mark));
    if (at == std::string_view::npos) return recorded == said;
    if (recorded.substr(0, at) != said.substr(0, at)) return false;
    if (recorded.substr(at) == "<rest>") return true;
    recorded.remove_prefix(recorded.find('>', at) + 1);
    said.remove_prefix(at);
    while (!said.empty() && (std::isalnum(static_cast<unsigned char>(said[0])) || said[0] == '-'))
      said.remove_prefix(1);
  }
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
    const std::string type = item["contentType"].str();
    const auto answer = rig.ask(item["method"].str(), item["path"].str(), fill(item["body"].str()), type);
    const std::string& message = item["message"].str();
    const bool equal = answer.status == item["code"].as_int() &&
                       (message.empty() || same_text(message, answer.body["message"].str()));
    same += equal;
    CHECK_MESSAGE(equal != known.contains(name), name, ": ", answer.status, " where ", item["code"].as_int(),
                  " was recorded: ", answer.text.substr(0, 600));
  }
  MESSAGE(same, " of ", cases->size(), " answers equal the recorded ones");
}

}  // namespace
}  // namespace skiff::kube
