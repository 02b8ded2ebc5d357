// pods/log: what the node agent says is passed on, its refusals in the API's form.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"
#include "net/http_server.h"

namespace skiff::kube {
namespace {

const std::string kPods = "/api/v1/namespaces/default/pods";
const std::string kLog = kPods + "/p/log";
const io::Address kNode = io::Address::tcp("node", 10250);

ServerOptions with_node() {
  ServerOptions options = ServerRig::test_options();
  options.node_logs.address = kNode;
  options.node_logs.token = "node-secret";
  return options;
}

void run_pod(ServerRig& rig) {
  rig.ask("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  rig.ask("POST", kPods, R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"x"}]}})");
  const auto bound = rig.ask("POST", kPods + "/p/binding",
                             R"({"metadata":{"name":"p"},"target":{"kind":"Node","name":"node"}})");
  REQUIRE(bound.status == 201);
}

struct FakeNode {
  FakeNode(ServerRig& rig, int given_status, std::string given_text)
      : status(given_status), text(std::move(given_text)) {
    auto listener = rig.network.listen(kNode);
    REQUIRE(listener.has_value());
    server = std::make_unique<net::HttpServer>(
        rig.loop, std::move(*listener),
        [this](const net::Request& request, net::BodyReader&, net::ResponseWriter& writer) {
          return answer(this, request, writer);
        });
  }
  static io::Task<void> answer(FakeNode* self, const net::Request& request, net::ResponseWriter& writer) {
    self->asked = request.target;
    self->authorization = request.headers.get("Authorization");
    net::Response response = net::Response::text(self->status, self->text);
    auto sent = co_await writer.send(std::move(response));
    SKIFF_CHECK(sent.has_value());
  }
  int status;
  std::string text, asked, authorization;
  std::unique_ptr<net::HttpServer> server;
};

TEST_CASE("a log is the node's answer, asked for with the server's own token") {
  ServerRig rig(with_node());
  run_pod(rig);
  FakeNode node(rig, 200, "line 1\nline 2\n");
  const auto log = rig.ask("GET", kLog + "?tailLines=2&timestamps=true");
  CHECK(log.status == 200);
  CHECK(log.headers.get("Content-Type") == "text/plain");
  CHECK(log.text == "line 1\nline 2\n");
  CHECK(node.asked == "/containerLogs/default/p/c?tailLines=2&timestamps=true");
  CHECK(node.authorization == "Bearer node-secret");
}

TEST_CASE("the node's refusals become statuses") {
  const std::pair<int, const char*> cases[] = {
      {400, "BadRequest"}, {404, "NotFound"}, {500, "InternalError"}, {403, "InternalError"}};
  for (const auto& [code, reason] : cases) {
    ServerRig rig(with_node());
    run_pod(rig);
    FakeNode node(rig, code, "container \"c\" is waiting to start\n");
    const auto log = rig.ask("GET", kLog);
    CHECK(log.status == (code == 403 ? 500 : code));
    CHECK(log.body["reason"].str() == reason);
    CHECK(log.body["message"].str() == "container \"c\" is waiting to start");
  }
}

TEST_CASE("a node that does not answer is a server error that says so") {
  ServerRig rig(with_node());
  run_pod(rig);
  const auto log = rig.ask("GET", kLog);
  CHECK(log.status == 500);
  CHECK(log.body["message"].str().starts_with("the node agent does not answer: "));
}

}  // namespace
}  // namespace skiff::kube
