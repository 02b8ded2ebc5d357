// Reads a container's log from any point, across rotations, and waits for more. A reader that is so far
// behind that rotation drops the file it holds reads that one to its end and goes on with the oldest there
// is.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/file.h"
#include "io/loop.h"
#include "io/sync.h"
#include "node/logs/cri.h"
#include "node/logs/folder_watch.h"

namespace skiff::node {

class LogReader {
 public:
  // `path` is the current file's. `watches` outlive the reader.
  LogReader(io::Loop& loop, FolderWatches& watches, std::string path, LogQuery query);
  ~LogReader();
  // Finds the beginning: a search through all that there is runs in the pool.
  io::Task<Result<void>> open();
  // The next piece of output, from a bounded part of the log; short enough for the loop. Empty without `more`
  // when all that is there was read. `done` when the byte limit was reached.
  struct Piece {
    std::string text;
    bool done = false;
    bool more = false;
  };
  Result<Piece> read_some();
  // Until something was written, or `limit` passed.
  io::Task<void> wait(Duration limit);

 private:
  io::UniqueFd open_next() const;
  io::Loop& loop_;
  FolderWatches& watches_;
  std::string path_;
  LogQuery query_;
  LogFormatter formatter_;
  io::UniqueFd file_;
  io::UniqueFd next_;  // what follows, held while file_ is read to its end
  int64_t offset_ = 0;
  std::string rest_;  // an incomplete line
  std::unique_ptr<FolderWatch> watch_;
};

}  // namespace skiff::node
