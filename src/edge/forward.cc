#include "edge/forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "edge/platform_door.h"
#include "edge/syntax.h"

namespace skiff::edge {
namespace {

// What of the hop's own fields passes all the same.
struct Passing {
  bool upgrade = false;
  bool trailer = false;  // the body goes on in chunks, and what it announces with it
  bool length = true, coding = true;
};

bool hop_by_hop(std::string_view name, Passing passing) {
  switch (name.size()) {
    case 2:
      return same_name(name, "te");
    case 7:
      return (!passing.upgrade && same_name(name, "upgrade")) ||
             (!passing.trailer && same_name(name, "trailer"));
    case 10:
      return same_name(name, "connection") || same_name(name, "keep-alive");
    case 14:
      return (!passing.length || name[7] == '_') && reads_as(name, "content-length");
    case 16:
      return same_name(name, "proxy-connection");
    case 17:
      return (!passing.coding || name[8] == '_') && reads_as(name, "transfer-encoding");
    default:
      return false;
  }
}

// Some servers read '_' in a name as '-', so both spellings are the edge's own.
bool edge_owned(std::string_view name) {
  switch (name.size()) {
    case 3:
      return same_name(name, "via");
    case 4:
      return same_name(name, "host");
    case 5:  // CGI would show it as HTTP_PROXY, which programs take for their own proxy
      return same_name(name, "proxy");
    case 9:
      return same_name(name, "forwarded");
    case 12:
      return reads_as(name, "x-request-id");
    case kVisitorField.size():
      return reads_as(name, "x-skiff-visitor") || reads_as(name, "x-request-start") ||
             reads_as(name.substr(0, 12), "x-forwarded-");
    default:
      return reads_as(name, "x-request-start") || reads_as(name.substr(0, 12), "x-forwarded-");
  }
}

bool named_by_connection(const Head& head, std::string_view name) {
  if (head.connection_options == 0) return false;
  // Framing and routing are not the client's to remove.
  if (same_name(name, "transfer-encoding") || same_name(name, "content-length")) return false;
  const auto same = [](char a, char b) { return to_lower_ascii(a) == to_lower_ascii(b); };
  const std::span options(head.options.data(), head.connection_options);
  return std::ranges::any_of(options,
                             [&](std::string_view one) { return std::ranges::equal(one, name, same); });
}

bool ends_here(const Head& head, std::string_view name, Passing passing) {
  if (passing.upgrade && same_name(name, "upgrade")) return false;
  return hop_by_hop(name, passing) || named_by_connection(head, name);
}

void append_field(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

}  // namespace

bool acceptable_request_id(std::string_view id) {
  if (id.size() < 20 || id.size() > 200) return false;
  for (const char c : id) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alnum && std::string_view("-_+/=.").find(c) == std::string_view::npos) return false;
  }
  return true;
}

void assign_request_id(Random& random, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const uint64_t halves[] = {(random.next() & 0xFFFFFFFFFFFF0FFFULL) | 0x4000ULL,
                             (random.next() & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL};
  out.clear();
  for (size_t digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) out += '-';
    out += kDigits[halves[digit / 16] >> (60 - 4 * (digit % 16)) & 15];
  }
}

void append_request(const RequestHead& head, const ForwardFacts& facts, std::string& out) {
  out += head.method;
  out += ' ';
  append_target(head.target, out);
  out += head.minor == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n";
  append_field("Host", head.host, out);
  const Passing passing{.upgrade = head.upgrade, .trailer = head.framing == Framing::kChunked};
  for (size_t i = 0; i < head.count; ++i) {
    const Field& field = head.fields[i];
    if (edge_owned(field.name)) continue;
    if (ends_here(head, field.name, passing)) continue;
    append_field(field.name, field.value, out);
  }
  if (head.upgrade) out += "Connection: Upgrade\r\n";
  append_field("X-Forwarded-For", facts.client_ip, out);
  out += facts.tls ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n";
  append_field("X-Forwarded-Port", facts.port, out);
  if (!facts.host.empty()) append_field("X-Forwarded-Host", facts.host, out);
  if (!facts.forwarded.empty()) append_field("Forwarded", facts.forwarded, out);
  if (!facts.visitor.empty()) append_field(kVisitorField, facts.visitor, out);
  append_field("X-Request-Id", facts.request_id, out);
  const fmt::format_int start(facts.start_ms);
  append_field("X-Request-Start", {start.data(), start.size()}, out);
  if (head.via.empty()) {
    out += "Via: 1.1 heroku-router\r\n\r\n";
  } else {
    out += "Via: ";
    out += head.via;
    out += ", 1.1 heroku-router\r\n\r\n";
  }
}

void append_target(std::string_view target, std::string& out) {
  if (target.starts_with('?')) out += '/';
  out += target;
}

void append_response(const ResponseHead& head, After after, Form form, std::string& out) {
  out += "HTTP/1.1 ";
  const fmt::format_int status(head.status);
  out.append(status.data(), status.size());
  out += ' ';
  out += head.reason;
  out += "\r\n";
  // These never have a body, and no field may speak of one (RFC 9112 6.1, RFC 9110 8.6).
  const bool bodiless = head.status < 200 || head.status == 204;
  const bool chunks = head.framing == Framing::kChunked && form == Form::kChunks;
  // A 426 names what the client should switch to (RFC 9110 15.5.22).
  const Passing passing{.upgrade = head.status == 101 || head.status == 426,
                        .trailer = chunks,
                        .length = !bodiless && !head.restate_length,
                        .coding = !bodiless && form == Form::kChunks};
  bool upgrade = head.status == 101;
  for (size_t i = 0; i < head.count; ++i) {
    const Field& field = head.fields[i];
    if (ends_here(head, field.name, passing)) continue;
    upgrade = upgrade || (passing.upgrade && same_name(field.name, "upgrade"));
    append_field(field.name, field.value, out);
  }
  if (head.restate_length && !bodiless) {
    const fmt::format_int length(head.length);
    append_field("Content-Length", {length.data(), length.size()}, out);
  }
  const bool close = after == After::kClose && head.status >= 200;
  if (upgrade) {
    out += close ? "Connection: close, Upgrade\r\n" : "Connection: Upgrade\r\n";
  } else if (close) {
    out += "Connection: close\r\n";
  }
  out += "Via: 1.1 heroku-router\r\n\r\n";
}

}  // namespace skiff::edge
