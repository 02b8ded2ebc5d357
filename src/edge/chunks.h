// A chunked body on its way through the edge (RFC 9112 7.1): read strictly, sent on in the plainest form.
//
// Chunks whose framing is regular pass as they came, without a copy. Extensions, padding and trailers that
// must not pass are left out on the way; the last chunk waits until the trailers behind it are known to be
// good, so that a body with bad ones never looks complete. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "edge/trailers.h"

namespace skiff::edge {

// What goes on: chunks, or their content for a reader that knows none (HTTP/1.0).
enum class Form : unsigned char { kChunks, kContent };

// What was used of the bytes given, and what goes on instead of them.
struct Piece {
  size_t used = 0;
  std::string_view out;  // of the bytes given, or of the buffer
};

class Chunks {
 public:
  void start(Reading reading, Form form);
  // Nothing when the body is malformed; error() says what is. `buffer` is written only when bytes change.
  std::optional<Piece> consume(std::string_view data, std::string& buffer);
  bool done() const { return part_ == Part::kDone; }
  Form form() const { return form_; }
  // Something was forgiven in which another reader may see another end: the connection is not to be trusted
  // with another message.
  bool forgiven() const { return forgiven_; }
  std::string_view error() const { return error_; }

 private:
  enum class Part : unsigned char {
    kSize,       // in the digits of a size
    kPadding,    // blanks behind them
    kExtension,  // what follows a ';'
    kSizeLf,     // at the LF of the line
    kData,
    kDataEnd,   // at the CRLF behind the data
    kDataLf,    // at its LF
    kTrailers,  // behind the last chunk
    kDone
  };
  class Relay;
  bool step(Relay& relay);
  bool take_size_line(Relay& relay);
  bool take_size_char(char c, Relay& relay);
  bool take_data_end(Relay& relay);
  bool take_trailers(Relay& relay);
  void end_size_line(Relay& relay);
  bool refuse(std::string_view why);

  Part part_ = Part::kSize;
  Reading reading_ = Reading::kStrict;
  Form form_ = Form::kChunks;
  bool forgiven_ = false;
  size_t line_bytes_ = 0;  // of the size line so far
  uint64_t left_ = 0;
  std::unique_ptr<Trailers> trailers_;  // few bodies have any
  std::string_view error_;
};

}  // namespace skiff::edge
