// One thread of the edge: an epoll loop that owns its listeners, clients, pooled pod connections and timers.
//
// A client serves one request at a time: kHead -> (kHeld) -> kConnecting -> kExchange -> kHead, or kTunnel
// after a 101, or kFlush/kLinger before the end. Nothing is shared between workers but the route table, which
// is immutable. All members belong to the worker's thread, except set_routes() and stop().
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "edge/body.h"
#include "edge/conn.h"
#include "edge/forward.h"
#include "edge/report.h"
#include "edge/routes.h"

namespace skiff::edge {

// One router line without its time: for the platform's log of that namespace.
struct LogLine {
  std::string log_namespace;
  int64_t unix_ms = 0;
  std::string text;
};
using LogSink = std::function<void(std::vector<LogLine>)>;  // called from any worker

struct WorkerOptions {
  int http_fd = -1;        // listening, non-blocking; owned
  int https_fd = -1;       // -1: none
  SSL_CTX* tls = nullptr;  // outlives the worker
  std::string http_port, https_port;
  LogSink log_sink;
};

struct Upstream;

// What this worker knows of one pod's address.
struct Target {
  sockaddr_storage address{};
  socklen_t address_size = 0;
  int outstanding = 0;
  int64_t quarantined_until = 0;
  std::vector<Upstream*> idle;
  uint64_t generation = 0;
};

struct Client : Conn {
  Client() : Conn(Kind::kClient) {}
  enum class State : unsigned char {
    kHead,
    kHeld,
    kConnecting,
    kExchange,
    kTunnel,
    kFlush,
    kLinger
  } state = State::kHead;
  size_t index = 0;      // in the worker's list
  size_t scanned = 0;    // bytes of `in` that hold no end of a head
  int64_t deadline = 0;  // ms
  std::string ip;

  // The request being served.
  std::string method, path, host, request_id;
  std::string request;  // head and body so far, kept to be sent again
  bool replayable = true;
  bool idempotent = true;
  bool keep_alive = true;
  bool to_head = false;
  bool response_started = false;
  bool platform = false;
  int minor = 1;
  Body body;
  Body response_body;
  Upstream* upstream = nullptr;
  std::string app_key;  // host and path of the route, to find it again in a newer table
  std::string log_namespace, dyno;
  int attempts = 0;
  Fault last_fault = Fault::kNone;
  int status = 0;
  uint64_t bytes = 0;
  int64_t started = 0, connect_started = 0, connected = -1;
};

struct Upstream : Conn {
  Upstream() : Conn(Kind::kUpstream) {}
  Target* target = nullptr;
  Client* client = nullptr;
  bool connecting = false;
  bool reused = false;
  bool any_bytes = false;
  bool head_done = false;
  bool keep_alive = true;
  int64_t idle_since = 0;
};

class Worker {
 public:
  Worker(WorkerOptions options, std::shared_ptr<const RouteTable> routes);
  ~Worker();
  Result<void> open();
  void run();
  void stop();
  void set_routes(std::shared_ptr<const RouteTable> routes);

 private:
  void wake();
  bool watch(Conn& conn, uint32_t events);
  void read_clock();
  int wait_time() const;
  void dispatch(Conn& conn, uint32_t events);
  void adopt_routes();
  void sweep();
  void expire(Client& c);
  void free_dead();

  void accept_some(Conn& listener);
  void on_client(Client& c, uint32_t events);
  void drive(Client& c);
  void read_head(Client& c);
  void start_request(Client& c, const RequestHead& head, std::string_view rest);
  void refuse(Client& c, const RequestHead& head);
  void route(Client& c);
  void serve(Client& c, const App& app);
  void attach(Client& c, const Endpoint& endpoint);
  void send_request(Client& c);
  void pump_request(Client& c);
  void retry(Client& c, Fault fault);
  void fail(Client& c, Fault fault);
  void answer(Client& c, std::string_view response);
  void finish(Client& c);
  void client_lost(Client& c);
  void end_client(Client& c);
  void log(Client& c, Fault fault);
  void flush_logs();

  void on_upstream(Upstream& u, uint32_t events);
  void upstream_lost(Client& c, Upstream& u);
  void pump_response(Client& c);
  bool take_response_head(Client& c, Upstream& u, std::string_view data);
  bool take_response_body(Client& c, Upstream& u, std::string_view head, std::string_view data);
  void pump_tunnel(Client& c);
  bool pump_one_way(Conn& from, Conn& to, bool& ended);
  void release(Client& c);
  void drop_upstream(Upstream& u);
  Target& target_of(const Endpoint& endpoint);
  const Endpoint* choose(const App& app);

  WorkerOptions options_;
  int epoll_ = -1;
  Conn wake_{Conn::Kind::kWake};
  Conn http_{Conn::Kind::kListener};
  Conn https_{Conn::Kind::kTlsListener};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> new_routes_{false};
  std::mutex mutex_;  // guards next_routes_
  std::shared_ptr<const RouteTable> next_routes_;

  std::shared_ptr<const RouteTable> routes_;
  std::unordered_map<std::string, std::unique_ptr<Target>> targets_;
  std::unordered_map<const Endpoint*, Target*> resolved_;  // of the current table
  std::vector<Client*> clients_;
  std::vector<Client*> again_;  // to be driven once more this turn
  std::vector<std::unique_ptr<Conn, void (*)(Conn*)>> graveyard_;
  size_t idle_upstreams_ = 0;
  size_t held_ = 0;
  std::vector<LogLine> log_;
  size_t log_bytes_ = 0;
  std::string scratch_;
  std::string head_out_;
  RequestHead request_head_;
  ResponseHead response_head_;
  int64_t now_ = 0, wall_ms_ = 0, last_sweep_ = 0;
  SeededRandom random_;
};

}  // namespace skiff::edge
