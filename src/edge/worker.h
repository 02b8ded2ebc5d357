// One thread of the edge: an epoll loop that owns its listeners, clients, pooled pod connections and timers.
//
// Nothing is shared between workers but the route table, which is immutable, the log queue, and new
// connections on their way to the worker with the fewest. All members belong to the worker's thread, except
// set_routes() and stop(). A handler may end the client it serves
// (`dead`): its memory lives until the end of the turn.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "edge/client.h"
#include "edge/forward.h"
#include "edge/log_queue.h"
#include "edge/report.h"
#include "edge/routes.h"
#include "edge/spread.h"

namespace skiff::edge {

struct WorkerOptions {
  int http_fd = -1;        // listening, non-blocking; owned
  int https_fd = -1;       // -1: none
  SSL_CTX* tls = nullptr;  // outlives the worker
  std::string http_port, https_port;
  LogQueue* log_queue = nullptr;  // outlives the worker; null: no lines
  Spread* spread = nullptr;       // outlives the worker; null: it serves all that it accepts
  size_t index = 0;               // of this worker in `spread`
  std::vector<IpNetwork> trusted_proxies;
  bool proxy_protocol = false;
  std::string platform_token;  // shown to the platform with each request
  Limits limits;
};

class Worker {
 public:
  Worker(WorkerOptions options, std::shared_ptr<const RouteTable> routes);
  ~Worker();
  Result<void> open();
  void run();
  void stop();
  void set_routes(std::shared_ptr<const RouteTable> routes);
  // Ends every client, running requests with H24, and hands the last lines on. After run() has returned.
  void cut_all();

 private:
  // The loop: worker.cc.
  void wake();
  bool watch(Conn& conn, uint32_t events);
  void read_clock();
  int wait_time() const;
  int wait(std::span<epoll_event> events, bool busy);
  void dispatch(Conn& conn, uint32_t events);
  void adopt_routes();
  void drive_again();
  void queue_again(Client& c);
  void sweep();
  void sweep_targets();
  void expire(Client& c);

  // Who comes and goes: worker_accept.cc.
  void accept_some(Conn& listener);
  void refuse_connection(int listener_fd);
  void keep_spare();
  void add_client(Arrival arrival);
  void take_arrivals();
  bool prepare(Client& c, bool tls);
  bool take_preface(Client& c);
  void set_visitor(Client& c, std::string ip);
  void end_client(Client& c);
  void drop_upstream(Upstream& u);

  // The client's side of a request: worker_client.cc.
  void on_client(Client& c, uint32_t events);
  void drive(Client& c);
  void read_head(Client& c);
  void start_request(Client& c, const RequestHead& head, std::string_view rest);
  void reset_request(Client& c, const RequestHead& head);
  void write_request(Client& c, const RequestHead& head);
  bool may_ask_platform(const Client& c) const;
  void refuse_head(Client& c, const RequestHead& head);
  void refuse_body(Client& c, int status, std::string_view cause);
  bool take_request_body(Client& c, std::string_view data, Piece& piece);
  void pump_request(Client& c);
  void client_lost(Client& c);
  Millis window(const Client& c) const;

  // Where it goes: worker_route.cc.
  const App* find_app(Client& c);
  void route(Client& c);
  void serve(Client& c, const App* found);
  void serve_unknown(Client& c);
  bool hold(Client& c, int64_t deadline);
  // Of one that waits no longer.
  void leave_place(Client& c);

  // How a request ends: worker_answer.cc.
  void fail(Client& c, Fault fault);
  void answer(Client& c, std::string_view response);
  void finish(Client& c);
  void flush_client(Client& c);
  void linger(Client& c);
  void log(Client& c, Fault fault);
  void flush_logs();

  // The pod's side: worker_upstream.cc.
  void attach(Client& c, const Endpoint& endpoint);
  Upstream* take_idle(Target& target);
  Upstream* take_trusted(Target& target);
  void connect_upstream(Client& c, Target& target);
  void send_request(Client& c);
  void retry(Client& c, Fault fault);
  void on_upstream(Upstream& u, uint32_t events);
  void on_connected(Upstream& u, uint32_t events);
  void upstream_lost(Client& c, Upstream& u, Conn::Read why);
  void release(Client& c);
  Target& target_of(const Endpoint& endpoint);

  // Its response: worker_response.cc. False when the exchange is over.
  void pump_response(Client& c);
  bool take_response_head(Client& c, Upstream& u, std::string_view data);
  bool take_interim(Client& c, const ResponseHead& head);
  bool take_final(Client& c, Upstream& u, const ResponseHead& head, std::string_view data);
  bool take_response_body(Client& c, Upstream& u, std::string_view head, std::string_view data);

  // After a 101: worker_tunnel.cc.
  void open_tunnel(Client& c, std::string_view head, std::string_view data);
  void pump_tunnel(Client& c);
  enum class Relay { kIdle, kMoved, kSourceLost, kSinkLost };
  Relay relay(Conn& from, Conn& to, uint64_t& bytes);

  WorkerOptions options_;
  int epoll_ = -1;
  int spare_fd_ = -1;  // given up for a moment to refuse a connection when there
                       // are no descriptors left
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
  std::vector<Client*> again_;    // to be driven in the next turn; null: has ended
  std::vector<Client*> driving_;  // of the present turn
  std::vector<std::unique_ptr<Conn, void (*)(Conn*)>> graveyard_;
  size_t idle_upstreams_ = 0;
  size_t held_ = 0;
  std::unordered_map<std::string, size_t> held_of_;  // by namespace, "" for hosts that are not known yet
  LogBatch log_;
  int64_t log_since_ = 0;
  std::string scratch_;
  std::string head_out_, body_out_;
  std::string host_buffer_;
  RequestHead request_head_;
  ResponseHead response_head_;
  int64_t now_ = 0, wall_ms_ = 0, last_sweep_ = 0;
  SeededRandom random_;
};

}  // namespace skiff::edge
