// Text of programs as it may go to people: UTF-8 without control characters but for line ends and tabs, and
// without escape sequences, colours among them. Whether a pusher has a terminal the server is not told, and
// git puts "remote: " before each line; so there is no colour, and nothing that moves a cursor. A carriage
// return, as progress bars have, ends a line. Pure.
#pragma once

#include <string>
#include <string_view>

namespace skiff::platform {

// Takes text in pieces, which may end in the middle of a sequence.
class PlainText {
 public:
  std::string take(std::string_view piece);

 private:
  enum class State {
    kText,
    kEscape,       // after ESC
    kSequence,     // ESC [ … to a letter
    kString,       // ESC ] … to BEL or ESC \, of a title or a link; never beyond its line
    kStringEscape  // ESC in such a string: its end, or the begin of another sequence
  };
  void take_byte(unsigned char byte, std::string& out);
  void take_text(unsigned char byte, std::string& out);
  void take_escape(unsigned char byte);
  void end_character(std::string& out);
  State state_ = State::kText;
  bool returned_ = false;    // the last character was a carriage return, which has ended its line
  std::string character_{};  // begun, of several bytes
};

// The same of a whole text.
std::string plain_text(std::string_view text);

}  // namespace skiff::platform
