// What the edge says about a request: Heroku's error codes, their pages, and the router's log line. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skiff::edge {

enum class Fault : uint8_t {
  kNone,
  kH10,
  kH11,
  kH12,
  kH13,
  kH14,
  kH15,
  kH17,
  kH18,
  kH19,
  kH20,
  kH21,
  kH22,
  kH24,
  kH25,
  kH26,
  kH27,
  kH28,
  kH80,
  kH81,
  kH99
};

struct FaultText {
  std::string_view code, description, at, extra, title, advice;
  int status;
};
const FaultText& fault_text(Fault fault);

// One finished request, for its line.
struct Access {
  Fault fault = Fault::kNone;
  std::string_view method, path, host, request_id, fwd, dyno;
  std::string_view cause;                    // what of a head or body was malformed; "": nothing
  int64_t connect_ms = -1, service_ms = -1;  // negative: no dyno was reached
  int status = 0;                            // 0: none was sent
  uint64_t bytes = 0;
  bool tls = false;
};
// "at=info method=GET path=\"/\" ..." without time and source.
void append_access(const Access& access, std::string& out);

// The whole response, head and page. `to_head` leaves the page away.
std::string fault_response(Fault fault, std::string_view request_id, bool to_head);
// An error of the client or an unknown host.
std::string plain_response(int status, std::string_view title, std::string_view advice, bool to_head);
// The edge has just started and does not know yet which apps there are.
std::string starting_response(bool to_head);
std::string_view reason_of(int status);

}  // namespace skiff::edge
