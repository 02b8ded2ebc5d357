// Reads server-sent events (WHATWG HTML, section 9.2) as they come in pieces. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace skiff::cli {

class EventReader {
 public:
  using Sink = std::function<void(std::string_view lines)>;
  // Gives the data of each whole event, a newline after each of its lines.
  void add(std::string_view piece, const Sink& sink);
  // A new stream begins: what was cut off of the one before is dropped.
  void restart() { pending_.clear(), data_.clear(); }
  // Of the newest whole event: where the server goes on; "" before the first.
  const std::string& last_id() const { return last_id_; }

 private:
  void take_line(std::string_view line, const Sink& sink);
  std::string pending_, data_, id_, last_id_;
};

}  // namespace skiff::cli
