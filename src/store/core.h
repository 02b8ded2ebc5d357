// What a store, its watches and its writes under way share: the durable state, the writes that wait for the
// disk, and the watches to wake.
//
// A write is checked against the newest write of its key, durable or not, gets its revision and its value at
// once, and joins the last waiting batch. One batch at a time is at the backend; what comes meanwhile shares
// the next. When a batch fails, everything that waits fails with it: later writes may stand on earlier ones.
// Their revisions are not used again, so no revision ever had two values. One thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "store/committer.h"
#include "store/state.h"

namespace skiff::store {

class WatchImpl;

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(io::Loop& loop, State state) : loop_(loop), state_(std::move(state)), scope_(loop) {
    last_ = state_.current();
  }
  void start(std::unique_ptr<Committer> committer) { committer_ = std::move(committer); }
  // Fails what waits and ends the watches; the backend is gone when it returns.
  void close();

  static io::Task<Result<Entry>> write(std::shared_ptr<Core> core, Write write);
  static io::Task<Result<void>> compact(std::shared_ptr<Core> core, Revision revision);
  // Drops on disk what memory has dropped, a little at a time.
  static io::Task<Result<void>> clean(std::shared_ptr<Core> core);
  // Garbage that a crash left on disk.
  void add_garbage(const std::vector<Revision>& revisions);

  io::Loop& loop() { return loop_; }
  const State& state() const { return state_; }
  bool closed() const { return closed_; }
  // Gives the number to detach with.
  uint64_t attach(WatchImpl* watch, const std::string& prefix);
  void detach(uint64_t number, const std::string& prefix);

 private:
  struct Batch {
    explicit Batch(io::Loop& loop) : done(loop) {}
    std::vector<Record> records;
    size_t bytes = 0;
    io::Event done;
    std::optional<Error> error;
  };
  struct Pending {
    Revision modified{};
    Revision created{};
    bool removed = false;
    std::shared_ptr<Batch> batch;
  };
  // The outcome of a write, known when `batch` ends (at once when it is null).
  struct Admission {
    Result<Entry> result;
    std::shared_ptr<Batch> batch;
  };
  Admission admit(const Write& write);
  std::shared_ptr<Batch> open_batch();
  void pump();
  void on_committed(const std::shared_ptr<Batch>& batch, Result<void> result);
  void publish(const Batch& batch);
  // Tells the watches whose prefix begins `key`.
  void wake_watches(const std::string& key, uint64_t place);
  template <typename Call>
  void for_each_watch(Call call);
  void fail_all(const Error& error);
  void forget_if_large();
  static io::Task<void> forget(Core* core, Revision revision);
  // Runs `work` at the backend.
  static io::Task<Result<void>> run(std::shared_ptr<Core> core, Committer::Work work);

  io::Loop& loop_;
  State state_;
  std::unique_ptr<Committer> committer_;
  Revision last_{};  // the newest revision given to a write
  std::unordered_map<std::string, Pending> pending_;
  std::deque<std::shared_ptr<Batch>> waiting_;
  std::shared_ptr<Batch> in_flight_;
  bool pump_posted_ = false;
  std::deque<Revision> garbage_;
  // By prefix, then in order of attaching, so that a simulation repeats. A write visits only those it
  // concerns.
  std::map<std::string, std::map<uint64_t, WatchImpl*>, std::less<>> watches_;
  uint64_t last_watch_ = 0;
  bool closed_ = false;
  bool failing_ = false;  // the last commit failed
  bool forgetting_ = false;
  io::TaskScope scope_;
};

}  // namespace skiff::store
