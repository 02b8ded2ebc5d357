// Runs the blocking work of a backend away from the loop, one piece after another, in order.
//
// Two implementations: a thread of its own, and one that runs each piece in a later step of the loop
// (simulations, and the store without a disk). Members belong to the loop's thread; the backend belongs to
// the committer.
#pragma once

#include <functional>
#include <memory>

#include "io/loop.h"
#include "store/backend.h"

namespace skiff::store {

class Committer {
 public:
  using Work = std::move_only_function<Result<void>(Backend&)>;
  using Done = std::move_only_function<void(Result<void>)>;

  // Ends what was begun, drops the rest; no `done` is called any more after the loop's present step.
  virtual ~Committer() = default;
  // `work` where the backend lives, then `done` on the loop with what it returned.
  virtual void run(Work work, Done done) = 0;
};

std::unique_ptr<Committer> make_inline_committer(io::Loop& loop, std::unique_ptr<Backend> backend);
std::unique_ptr<Committer> make_thread_committer(io::Loop& loop, std::unique_ptr<Backend> backend);

}  // namespace skiff::store
