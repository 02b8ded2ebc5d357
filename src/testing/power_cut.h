// A disk that loses power: at each step of a piece of work that matters for it (a sync, a name that appears,
// changes or goes), it notes what would be there after a cut before that step, by the least that file systems
// promise of data and the most that they do with names: names are as they were written, bytes of a file as
// they were at its last sync, and empty without one.
//
// While it lives, this program's own calls of sync, rename, link and unlink are looked at, those of libraries
// too; what child processes write counts as never synced. One at a time, any threads. Into a test binary with
// TEST_SUPPORT power_cut.cc of skiff_library().
//
//   PowerCut power(folder.path);
//   do_the_work();
//   const size_t acknowledged = power.cuts();
//   for (size_t i = 0; i <= power.cuts(); ++i) check(power.after_cut(i), i >= acknowledged);
#pragma once

#include <memory>
#include <string>

namespace skiff::testing {

class PowerCut {
 public:
  // What is in `folder` now is on the disk.
  explicit PowerCut(std::string folder);
  ~PowerCut();
  PowerCut(const PowerCut&) = delete;
  // How many steps there were so far.
  size_t cuts() const;
  // A copy of the folder as a cut before the step leaves it; with cuts() itself, a cut now. The caller may
  // change it; it goes with this object.
  std::string after_cut(size_t step);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace skiff::testing
