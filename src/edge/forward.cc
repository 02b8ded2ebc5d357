#include "edge/forward.h"

#include <fmt/format.h>

#include "edge/syntax.h"

namespace skiff::edge {
namespace {

bool hop_by_hop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return same_name(name, "te");
    case 7:
      return same_name(name, "upgrade") || same_name(name, "trailer");
    case 10:
      return same_name(name, "connection") || same_name(name, "keep-alive");
    case 16:
      return same_name(name, "proxy-connection");
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
    case 9:
      return same_name(name, "forwarded");
    case 12:
      return reads_as(name, "x-request-id");
    default:
      return reads_as(name, "x-request-start") || reads_as(name.substr(0, 12), "x-forwarded-");
  }
}

bool named_by_connection(const Head& head, std::string_view name) {
  if (!head.connection_lists) return false;
  // Framing and routing are not the client's to remove.
  if (same_name(name, "transfer-encoding") || same_name(name, "content-length")) return false;
  std::string lowered(name);
  for (char& c : lowered) c = to_lower_ascii(c);
  for (size_t i = 0; i < head.count; ++i) {
    if (same_name(head.fields[i].name, "connection") && has_token(head.fields[i].value, lowered)) return true;
  }
  return false;
}

bool ends_here(const Head& head, std::string_view name, bool upgrades) {
  if (upgrades && same_name(name, "upgrade")) return false;
  return hop_by_hop(name) || named_by_connection(head, name);
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
  out += head.target;
  out += head.minor == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n";
  append_field("Host", head.host, out);
  for (size_t i = 0; i < head.count; ++i) {
    const Field& field = head.fields[i];
    if (edge_owned(field.name)) continue;
    if (ends_here(head, field.name, head.upgrade)) continue;
    append_field(field.name, field.value, out);
  }
  if (head.upgrade) out += "Connection: Upgrade\r\n";
  append_field("X-Forwarded-For", facts.client_ip, out);
  out += facts.tls ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n";
  append_field("X-Forwarded-Port", facts.port, out);
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

void append_response(const ResponseHead& head, After after, std::string& out) {
  out += "HTTP/1.1 ";
  const fmt::format_int status(head.status);
  out.append(status.data(), status.size());
  out += ' ';
  out += head.reason;
  out += "\r\n";
  const bool switching = head.status == 101;
  for (size_t i = 0; i < head.count; ++i) {
    const Field& field = head.fields[i];
    if (ends_here(head, field.name, switching)) continue;
    append_field(field.name, field.value, out);
  }
  if (switching) {
    out += "Connection: Upgrade\r\n";
  } else if (after == After::kClose && head.status >= 200) {
    out += "Connection: close\r\n";
  }
  out += "Via: 1.1 heroku-router\r\n\r\n";
}

}  // namespace skiff::edge
