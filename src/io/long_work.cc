#include "io/long_work.h"

namespace skiff::io {

void LongWork::submit_blocking(Callback work, Callback done) {
  state_->waiting.push_back({std::move(work), std::move(done)});
  start(state_);
}

void LongWork::start(const std::shared_ptr<State>& state) {
  while (state->free > 0 && !state->waiting.empty()) {
    --state->free;
    Piece piece = std::move(state->waiting.front());
    state->waiting.pop_front();
    state->loop.submit_blocking(std::move(piece.work), [state, done = std::move(piece.done)]() mutable {
      ++state->free;
      done();
      start(state);
    });
  }
}

}  // namespace skiff::io
