#include "edge/report.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "net/http.h"

namespace skiff::edge {
namespace {

constexpr int kClientClosed = 499;  // registered nowhere; in lines of requests whose client left
// Of what a visitor chose, as it stands in the line: the platform splits lines of more than 10,000 bytes, and
// what began a second line would be the visitor's.
constexpr size_t kMaxPathBytes = 8000;
constexpr size_t kMaxHostBytes = 300;                           // a DNS name with its port is shorter
constexpr std::string_view kRetryAfter = "Retry-After: 2\r\n";  // seconds; about what a start takes
constexpr std::string_view kCut = "…";
constexpr std::string_view kAppError = "This app could not answer";
constexpr std::string_view kAppAdvice =
    "Something went wrong inside the app, and your request was not completed. If it is your app, its logs "
    "tell more: skiff logs --tail";

constexpr std::array<FaultText, 21> kFaults{{
    {"", "", "info", "", "", "", 200},
    {"H10", "App crashed", "error", "", kAppError, kAppAdvice, 503},
    {"H11", "Backlog too deep", "error", "", kAppError, kAppAdvice, 503},
    {"H12", "Request timeout", "error", "", kAppError, kAppAdvice, 503},
    {"H13", "Connection closed without response", "error", "", kAppError, kAppAdvice, 503},
    {"H14", "No web processes running", "error", "", kAppError, kAppAdvice, 503},
    {"H15", "Idle connection", "error", "", kAppError, kAppAdvice, 503},
    {"H17", "Poorly formatted HTTP response", "error", "", kAppError, kAppAdvice, 503},
    {"H18", "Server Request Interrupted", "error", " sock=backend", kAppError, kAppAdvice, 503},
    {"H19", "Backend connection timeout", "error", "", kAppError, kAppAdvice, 503},
    {"H20", "App boot timeout", "error", "", kAppError, kAppAdvice, 503},
    {"H21", "Backend connection refused", "error", "", kAppError, kAppAdvice, 503},
    {"H22", "Connection limit reached", "error", "", "Too many connections",
     "More clients are connected than this server takes. Try again in a moment.", 503},
    {"H24", "Forced close", "error", "", "", "", 0},
    {"H25", "HTTP restriction: oversized header", "error", "", kAppError, kAppAdvice, 502},
    {"H26", "Request Error", "error", "", "", "", 400},
    {"H27", "Client Request Interrupted", "warning", " sock=client", kAppError, kAppAdvice, kClientClosed},
    {"H28", "Client Connection Idle", "warning", "", kAppError, kAppAdvice, kClientClosed},
    {"H80", "Maintenance mode", "info", "", "Down for maintenance",
     "The app is being worked on and will be back shortly.", 503},
    {"H81", "Blank app", "info", "", "Nothing is deployed here yet",
     "The app exists but has no release. Push its source: git push skiff main", 503},
    {"H99", "Platform error", "error", "", "The platform could not answer",
     "The request did not reach the app. This is not the app's fault; try again in a moment.", 503},
}};

// Quotes, blanks and control characters would let a client write fields and lines of its own; so would a line
// that is too long. Bytes above ASCII hide controls, line ends and turned text from some readers.
void append_safe(std::string_view text, size_t max_bytes, std::string& out) {
  const size_t end = out.size() + max_bytes;
  for (const char c : text) {
    if (out.size() >= end) {
      out += kCut;
      return;
    }
    const auto u = static_cast<unsigned char>(c);
    if (u <= 0x20 || u >= 0x7f || c == '"' || c == '\\') {
      fmt::format_to(std::back_inserter(out), "%{:02X}", u);
    } else {
      out += c;
    }
  }
}

void append_number(uint64_t number, std::string& out) {
  const fmt::format_int text(number);
  out.append(text.data(), text.size());
}

void append_millis(std::string_view name, int64_t millis, std::string& out) {
  out += name;
  if (millis < 0) return;
  append_number(static_cast<uint64_t>(millis), out);
  out += "ms";
}

// `code` and `request_id` stand on the page and, the id, in the head; "" leaves them away. `fields` are
// further lines of the head.
std::string page(int status, std::string_view title, std::string_view advice, std::string_view code,
                 std::string_view request_id, bool to_head, std::string_view fields = {}) {
  const std::string small =
      code.empty() ? "" : fmt::format("<p><small>{} · {}</small></p>", code, request_id);
  const std::string extra = request_id.empty() ? "" : fmt::format("X-Request-Id: {}\r\n", request_id);
  const std::string body = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>{0}</title><style>body{{font:1rem/1.5 "
      "system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem;color:#222}}"
      "@media(prefers-color-scheme:dark){{body{{background:#111;color:#ddd}}}}</style></head>"
      "<body><h1>{0}</h1><p>{1}</p>{2}</body></html>\n",
      title, advice, small);
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n"
      "Cache-Control: no-cache, no-store\r\nServer: heroku-router\r\n{}{}Connection: close\r\n\r\n{}",
      status, reason_of(status), body.size(), extra, fields,
      to_head ? std::string_view() : std::string_view(body));
}

}  // namespace

const FaultText& fault_text(Fault fault) {
  return kFaults[static_cast<size_t>(fault)];
}

std::string_view reason_of(int status) {
  return status == kClientClosed ? "Client Closed Request" : net::status_text(status);
}

void append_access(const Access& a, std::string& out) {
  const FaultText& text = fault_text(a.fault);
  out += "at=";
  out += text.at;
  if (a.fault != Fault::kNone) {
    out += " code=";
    out += text.code;
    out += " desc=\"";
    out += text.description;
    out += '"';
    if (!a.cause.empty()) fmt::format_to(std::back_inserter(out), " cause=\"{}\"", a.cause);
  }
  out += " method=";
  out += a.method;
  out += " path=\"";
  append_safe(a.path, kMaxPathBytes, out);
  out += "\" host=";
  append_safe(a.host, kMaxHostBytes, out);
  out += " request_id=";
  out += a.request_id;
  out += " fwd=\"";
  out += a.fwd;
  out += "\" dyno=";
  out += a.dyno;
  append_millis(" connect=", a.connect_ms, out);
  append_millis(" service=", a.service_ms, out);
  out += " status=";
  if (a.status > 0) append_number(static_cast<uint64_t>(a.status), out);
  out += " bytes=";
  append_number(a.bytes, out);
  out += a.tls ? " protocol=https" : " protocol=http";
  out += text.extra;
}

std::string fault_response(Fault fault, std::string_view request_id, bool to_head) {
  const FaultText& text = fault_text(fault);
  return page(text.status, text.title, text.advice, text.code, request_id, to_head);
}

std::string plain_response(int status, std::string_view title, std::string_view advice, bool to_head) {
  return page(status, title, advice, "", "", to_head);
}

std::string starting_response(bool to_head) {
  return page(503, "Skiff is starting", "Apps can be reached in a moment: try again then.", "", "", to_head,
              kRetryAfter);
}

}  // namespace skiff::edge
