#include "node/pod/net_prober.h"

#include <doctest/doctest.h>

#include <array>

#include "io/sim_loop.h"
#include "io/sim_stream.h"
#include "net/certificates.h"
#include "net/http_server.h"
#include "node/runtime/fake_runtime.h"
#include "testing/cost.h"

using namespace skiff;
using namespace skiff::node;
using namespace std::chrono_literals;

namespace {

io::Task<void> answer(const net::Request&, net::BodyReader&, net::ResponseWriter& writer) {
  co_await writer.send(net::Response::text(200, "ok"));
}

std::shared_ptr<net::TlsServerContext> self_signed() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto pair = net::make_authority("nobody knows", now).value();
  return net::TlsServerContext::create({pair.certificate_pem, pair.key_pem, ""}).value();
}

struct Rig {
  io::SimLoop loop{1};
  io::SimNetwork network{loop};
  FakeRuntime runtime{loop};
  NetProber prober{loop, network, runtime};

  static io::Task<void> ask(Rig* rig, json::Value action, std::optional<ProbeOutcome>* out) {
    const json::Value container = json::Value::object({});
    auto outcome = co_await rig->prober.probe({}, "10.0.0.1", container, action, 1s);
    *out = outcome;
  }
  ProbeOutcome probe(const char* action) {
    std::optional<ProbeOutcome> outcome;
    io::TaskScope scope(loop);
    scope.spawn(ask(this, *json::parse(action), &outcome));
    loop.advance(2s);
    REQUIRE(outcome);
    return *outcome;
  }
};

}  // namespace

TEST_CASE("an HTTPS probe speaks TLS and takes any certificate") {
  Rig rig;
  auto listener = rig.network.listen(io::Address::tcp("10.0.0.1", 8443));
  net::HttpServer server(rig.loop, std::move(*listener), answer, self_signed());
  using Verdict = ProbeOutcome::Verdict;
  CHECK(rig.probe(R"({"httpGet":{"port":8443,"scheme":"HTTPS"}})").verdict == Verdict::kSuccess);
  CHECK(rig.probe(R"({"httpGet":{"port":8443,"scheme":"HTTP"}})").verdict == Verdict::kFailure);
}

TEST_CASE("a probe sends the headers that it names, and the usual ones otherwise") {
  const auto request = make_probe_request(*json::parse(R"({"path":"up","httpHeaders":[
    {"name":"accept","value":"text/plain"},{"name":"Host","value":"a"},{"name":"host","value":"b"},
    {"name":"X-Two","value":"1"},{"name":"X-Two","value":"2"}]})"));
  CHECK(request.target == "/up");
  using Fields = std::vector<std::pair<std::string, std::string>>;
  CHECK(request.headers.all() == Fields{{"User-Agent", "kube-probe/1.32"},
                                        {"Connection", "close"},
                                        {"accept", "text/plain"},
                                        {"Host", "a"},
                                        {"X-Two", "1"},
                                        {"X-Two", "2"}});
}

TEST_CASE("a probe's request costs what its headers are many") {
  const auto work = [](const std::string& text) {
    static_cast<void>(make_probe_request(*json::parse(text)));
  };
  CHECK(testing::growth({R"({"httpHeaders":[)", R"({"name":"a#"},)", R"({"name":"z"}]})"},
                        testing::kSmallInput, testing::kLargeInput, work) < testing::kMostGrowth);
}

namespace {

// Answers whoever connects, in two halves with a pause, and notes whether both were taken.
io::Task<void> greet(io::Loop* loop, io::Listener* listener, std::optional<bool>* taken) {
  auto stream = co_await listener->accept();
  std::array<char, 64> request{};
  auto read = co_await (*stream)->read(request);
  auto first = co_await (*stream)->write("HTTP/1.0 200 OK\r\n");
  co_await io::sleep(*loop, 20ms);
  auto second = co_await (*stream)->write("\r\nhello");
  *taken = read.has_value() && first.has_value() && second.has_value();
  (*stream)->close();
}

}  // namespace

TEST_CASE("a TCP probe lets the server finish what it says") {
  Rig rig;
  auto listener = rig.network.listen(io::Address::tcp("10.0.0.1", 5000));
  std::optional<bool> taken;
  io::TaskScope scope(rig.loop);
  scope.spawn(greet(&rig.loop, listener->get(), &taken));
  CHECK(rig.probe(R"({"tcpSocket":{"port":5000}})").verdict == ProbeOutcome::Verdict::kSuccess);
  CHECK(taken == true);
}
