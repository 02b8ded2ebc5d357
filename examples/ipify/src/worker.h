// One thread's event loop: its own listener, its own connections, nothing shared but the stage of the server.
//
// A turn: wait for events, read the clock once, serve each ready connection with one read and one write, then
// expire what waited too long and free what was closed. The loop ends by itself once the server is stopping
// and the last connection is gone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "bounds.h"
#include "connection.h"
#include "forwarded.h"
#include "turn_clock.h"

struct epoll_event;

namespace ipify {

// Goes only forward.
enum class Stage : int {
  kServing,
  kDraining,  // still accepts, so that nobody is turned away who has not heard yet, but every answer says
              // "close"
  kClosing,   // accepts no more; idle connections end, begun requests are finished
};

struct WorkerConfig {
  TrustPolicy trust;
  Timeouts timeouts;
  std::size_t max_connections = kMaxConnections;
  Millis drain = kDefaultDrain;
};

class Worker {
 public:
  // `stage` outlives the worker; after changing it, call wake.
  static std::expected<std::unique_ptr<Worker>, std::string> create(UniqueFd listener, WorkerConfig config,
                                                                    const std::atomic<Stage>& stage);
  ~Worker();

  // Serves until the stage says to stop and the work is done. Call once.
  void run();
  // From any thread: look at the stage now.
  void wake() const;
  // Requests answered so far; exact once run has returned, up to a turn behind before. Any thread.
  std::uint64_t answered() const { return answered_.load(std::memory_order_relaxed); }

 private:
  enum class Interest { kRead, kWrite };
  enum class Accepting { kOn, kPaused, kEnded };

  Worker(UniqueFd listener, WorkerConfig config, const std::atomic<Stage>& stage);
  std::expected<void, std::string> open();

  bool finished() const;
  int wait_time() const;
  void dispatch(const epoll_event& event);

  // The stages.
  void follow_stage();
  void begin_draining();
  void begin_closing();
  void close_idle();
  void close_unless_new(Connection& connection);
  Turn turn() const;

  // Accepting.
  void accept_some();
  void accept_one(int fd, const Address& peer);
  void pause_accepting();
  void resume_accepting();
  bool make_room();

  // One connection. Any of these may close it: look at its fd before touching it again.
  void on_readable(Connection& connection);
  void on_writable(Connection& connection);
  void on_lingering_bytes(Connection& connection, std::size_t count);
  void send_first(Connection& connection, Next next);
  void finish_turn(Connection& connection, Next next);
  void settle(Connection& connection);
  void linger(Connection& connection);
  void close(Connection& connection);

  // Time.
  void expire();
  void expire_list(ConnectionList& list);
  void on_request_timeout(Connection& connection);
  void wait_in(Connection& connection, Wait wait);
  void watch(Connection& connection, Interest interest);

  UniqueFd listener_;
  UniqueFd epoll_;
  UniqueFd wake_;
  WorkerConfig config_;
  const std::atomic<Stage>* stage_;
  Stage followed_ = Stage::kServing;
  Millis drain_ends_ = Millis::max();
  Accepting accepting_ = Accepting::kOn;
  Millis accept_again_ = Millis::max();

  ConnectionList idle_;
  ConnectionList first_;
  ConnectionList request_;
  ConnectionList write_;
  ConnectionList linger_;
  std::size_t connections_ = 0;
  std::vector<std::unique_ptr<Connection>> closed_;  // events of this turn may still point at them

  TurnClock clock_;
  std::string in_;   // kReadBytes, for every read
  std::string out_;  // the answers of one connection's turn
  std::atomic<std::uint64_t> answered_{0};
};

}  // namespace ipify
