#include "store/sim_backend.h"

#include <algorithm>
#include <map>

namespace skiff::store {

Result<void> SimDisk::put(Frame frame) {
  if (crashed_) return fail(Code::kUnavailable, "the simulated machine is off");
  if (full_) return fail(Code::kResourceExhausted, "the simulated disk is full");
  ++writes_;
  if (!crash_in_ || (*crash_in_)-- > 0) {
    frames_.push_back(std::move(frame));
    return {};
  }
  crashed_ = true;
  if (crash_ != Crash::kLost) {
    frame.whole = crash_ == Crash::kWhole;
    frames_.push_back(std::move(frame));
  }
  return fail(Code::kUnavailable, "the simulated machine crashed");
}

void SimDisk::restart() {
  crashed_ = false;
  crash_in_.reset();
  std::erase_if(frames_, [](const Frame& frame) { return !frame.whole; });
}

namespace {

class SimBackend final : public Backend {
 public:
  explicit SimBackend(SimDisk& disk) : disk_(disk) {}

  Result<Loaded> load() override {
    std::map<Revision, Record> rows;
    Loaded loaded;
    for (const auto& frame : disk_.frames()) {
      for (const Record& record : frame.records) rows.insert_or_assign(record.modified, record);
      for (const Revision revision : frame.revisions) {
        if (frame.kind == SimDisk::Frame::Kind::kMark)
          loaded.compacted = std::max(loaded.compacted, revision);
        if (frame.kind == SimDisk::Frame::Kind::kErase) rows.erase(revision);
      }
    }
    for (auto& [revision, record] : rows) loaded.records.push_back(std::move(record));
    return loaded;
  }
  Result<void> append(const std::vector<Record>& batch) override {
    return disk_.put({SimDisk::Frame::Kind::kAppend, batch, {}});
  }
  Result<void> mark_compacted(Revision revision) override {
    return disk_.put({SimDisk::Frame::Kind::kMark, {}, {revision}});
  }
  Result<void> erase(const std::vector<Revision>& revisions) override {
    return disk_.put({SimDisk::Frame::Kind::kErase, {}, revisions});
  }
  Result<void> shrink() override { return {}; }

 private:
  SimDisk& disk_;
};

}  // namespace

std::unique_ptr<Backend> make_sim_backend(SimDisk& disk) {
  return std::make_unique<SimBackend>(disk);
}

}  // namespace skiff::store
