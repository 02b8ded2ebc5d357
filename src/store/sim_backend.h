// A backend on a simulated disk: a list of frames that outlives the backend, which may crash at any write.
//
// A frame is what one call writes; only a whole frame counts when it is read again, so a torn one is as if it
// was never written. The disk is shared: drop the store, call restart(), open another backend on it.
#pragma once

#include <optional>
#include <vector>

#include "store/backend.h"

namespace skiff::store {

class SimDisk {
 public:
  // What a crash leaves of the frame being written.
  enum class Crash { kLost, kTorn, kWhole };
  struct Frame {
    enum class Kind { kAppend, kMark, kErase } kind = Kind::kAppend;
    std::vector<Record> records;
    std::vector<Revision> revisions;
    bool whole = true;
  };

  // The write number `write` from now (0 is the next) does not return success: the machine stops there.
  void crash_at(size_t write, Crash crash) {
    crash_in_ = write;
    crash_ = crash;
  }
  void restart();
  bool crashed() const { return crashed_; }
  size_t writes() const { return writes_; }
  // While set, every write is refused as a full disk refuses it.
  void set_full(bool full) { full_ = full; }

  Result<void> put(Frame frame);
  const std::vector<Frame>& frames() const { return frames_; }

 private:
  std::vector<Frame> frames_;
  std::optional<size_t> crash_in_;
  Crash crash_ = Crash::kLost;
  bool crashed_ = false;
  bool full_ = false;
  size_t writes_ = 0;
};

// `disk` outlives the backend.
std::unique_ptr<Backend> make_sim_backend(SimDisk& disk);

}  // namespace skiff::store
