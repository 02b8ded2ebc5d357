// The server over a memory store on a virtual clock, asked without a socket: for tests.
#pragma once

#include <optional>

#include "io/sim_loop.h"
#include "io/sim_stream.h"
#include "io/sync.h"
#include "kube/server/api_server.h"

namespace skiff::kube {

struct TestAnswer {
  int status = 0;
  json::Value body;  // null when it is no JSON
  std::string text;
  net::Headers headers;
};

struct TestWriter final : net::ResponseWriter {
  io::Task<Result<void>> send(net::Response given) override {
    response = std::move(given);
    co_return Result<void>();
  }
  io::Task<Result<void>> start(net::Response given) override { return send(std::move(given)); }
  io::Task<Result<void>> write(std::string_view chunk) override {
    response.body += chunk;
    co_return Result<void>();
  }
  io::Task<Result<void>> finish() override { co_return Result<void>(); }
  io::Task<Result<io::Stream*>> upgrade(net::Response) override {
    co_return fail(Code::kUnimplemented, "no streams");
  }
  bool started() const override { return false; }
  net::Response response;
};

struct TestBody final : net::BodyReader {
  io::Task<Result<std::string>> read_some() override { co_return std::exchange(text, std::string()); }
  std::string text;
};

class ServerRig {
 public:
  // With an address in `node_logs`, the node is looked for in `network`.
  explicit ServerRig(ServerOptions options = test_options())
      : network(loop), store(store::make_memory_store(loop)), api(loop, *store, registry, wired(options)) {
    run(boot(api));
  }
  // Static tokens "master" (system:masters) and "jane".
  static ServerOptions test_options() {
    ServerOptions options;
    options.tokens = {{"master", master_user("admin")}, {"jane", {"jane", "", {}}}};
    return options;
  }
  // What a server does when it starts over a store that is there.
  void start_again() { run(boot(api)); }
  // As a master unless `token` says otherwise; "" is anonymous.
  TestAnswer ask(const std::string& method, const std::string& target, const std::string& body = "",
                 const std::string& type = "application/json", const std::string& token = "master") {
    net::Request request;
    request.method = method;
    request.target = target;
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    if (!body.empty()) request.headers.set("Content-Type", type);
    return ask(request, body);
  }
  TestAnswer ask(const net::Request& request, const std::string& body) {
    TestBody reader;
    reader.text = body;
    TestWriter writer;
    run(api.handler()(request, reader, writer));
    auto value = json::parse(writer.response.content());
    return {writer.response.status, value ? *value : json::Value(), std::string(writer.response.content()),
            writer.response.headers};
  }
  void run(io::Task<void> task) {
    bool done = false;
    io::TaskScope scope(loop);
    scope.spawn(mark(std::move(task), &done));
    loop.run_until([&] { return done; }, std::chrono::hours(2));
  }

  io::SimLoop loop;
  io::SimNetwork network;
  std::unique_ptr<store::Store> store;
  Registry registry;
  ApiServer api;

 private:
  ServerOptions wired(ServerOptions options) {
    if (options.node_logs.address.port != 0) options.node_logs.network = &network;
    return options;
  }
  static io::Task<void> boot(ApiServer& server) {
    auto done = co_await server.bootstrap();
    SKIFF_CHECK(done.has_value());
  }
  static io::Task<void> mark(io::Task<void> task, bool* done) {
    co_await task;
    *done = true;
  }
};

}  // namespace skiff::kube
