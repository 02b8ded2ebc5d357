// The fields after the last chunk of a body (RFC 9110 6.5). They come when the head has long been acted on,
// so a field that frames, routes, authenticates or belongs to the edge has no business there and is dropped;
// what remains goes on as it would stand in a head. Pure.
#pragma once

#include <string>
#include <string_view>

#include "edge/limits.h"

namespace skiff::edge {

// A strict reader takes what the RFC's grammar allows, a lenient one also forgives what servers are known to
// send: padding behind a chunk's size, any number of leading zeros, bare line feeds where no extension
// stands, folded trailers.
enum class Reading : unsigned char { kStrict, kLenient };

// Whether a field of this name may go on as a trailer.
bool trailer_passes(std::string_view name);

// One trailer section as it arrives.
class Trailers {
 public:
  enum class State : unsigned char { kMore, kComplete, kBad };
  explicit Trailers(Reading reading) : reading_(reading) {}
  // Takes bytes up to the empty line that ends the section; `used` says how many.
  State take(std::string_view data, size_t& used);
  // The fields to send on, each with its CRLF; without the empty line.
  const std::string& fields() const { return fields_; }
  // A line ended in a way in which another reader may see another end.
  bool forgiven() const { return forgiven_; }

 private:
  bool take_line_end();
  State take_line(std::string_view line);
  State take_folded(std::string_view line);
  Reading reading_;
  bool forgiven_ = false;
  bool passed_ = false;  // the field of the line before
  std::string line_, fields_;
  size_t bytes_ = 0, count_ = 0;
};

}  // namespace skiff::edge
