// Git's answer to a push on its way to the pusher, packet by packet (gitprotocol-pack, pkt-line): room for a
// sentence of ours before its end. Pure.
#pragma once

#include <string>
#include <string_view>

namespace skiff::platform {

// Four hexadecimal digits of the length, then the text (pkt-line).
std::string packet_line(std::string_view text);

class AnswerRelay {
 public:
  // What can go on to the pusher now: whole packets, but for a flush that may be the last.
  std::string add(std::string_view bytes);
  // The rest. `sentence`, when there is one, is shown to the pusher as a message of the remote.
  std::string finish(std::string_view sentence);

 private:
  std::string pending_;
  bool held_flush_ = false;
  enum class Bands { kUnknown, kNone, kThree } bands_ = Bands::kUnknown;
};

}  // namespace skiff::platform
