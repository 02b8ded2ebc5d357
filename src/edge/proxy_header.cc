#include "edge/proxy_header.h"

#include "base/strings.h"

namespace skiff::edge {
namespace {

using Parse = ProxyHeader::Parse;

constexpr std::string_view kFirst = "PROXY ";
constexpr size_t kMaxLine = 107;  // with its CRLF
constexpr std::string_view kSecond("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kFixed = 16, kV4Block = 12, kV6Block = 36;
constexpr unsigned char kLocal = 0x20, kProxy = 0x21;
constexpr unsigned char kUnspecified = 0x00, kTcp4 = 0x11, kTcp6 = 0x21, kUnixStream = 0x31;

unsigned char byte_at(std::string_view data, size_t at) {
  return static_cast<unsigned char>(data[at]);
}
uint16_t number_at(std::string_view data, size_t at) {
  return static_cast<uint16_t>(byte_at(data, at) << 8 | byte_at(data, at + 1));
}

bool take_port(std::string_view text, uint16_t& port) {
  const auto number = parse_int(text);
  if (!number || *number < 0 || *number > UINT16_MAX || (text.size() > 1 && text.front() == '0'))
    return false;
  port = static_cast<uint16_t>(*number);
  return true;
}

// "TCP4 source destination port port", without "PROXY " and CRLF.
bool take_words(std::string_view line, ProxyHeader& out) {
  const auto words = split(line, ' ');
  if (words[0] == "UNKNOWN") return true;
  if (words.size() != 5 || (words[0] != "TCP4" && words[0] != "TCP6")) return false;
  const auto source = parse_ip(words[1]), destination = parse_ip(words[2]);
  uint16_t from = 0;
  if (!source || !destination || !take_port(words[3], from) || !take_port(words[4], out.port)) return false;
  const bool v4 = words[0] == "TCP4";
  const auto looks_v4 = [](const std::string& text) { return text.find(':') == std::string::npos; };
  if (looks_v4(words[1]) != v4 || looks_v4(words[2]) != v4) return false;
  out.source = *source;
  return true;
}

ProxyHeader parse_first(std::string_view data) {
  ProxyHeader out;
  const size_t end = data.substr(0, kMaxLine).find("\r\n");
  if (end == std::string_view::npos) {
    out.parse = data.size() < kMaxLine ? Parse::kIncomplete : Parse::kBad;
    return out;
  }
  out.bytes = end + 2;
  out.parse =
      take_words(data.substr(kFirst.size(), end - kFirst.size()), out) ? Parse::kComplete : Parse::kBad;
  return out;
}

IpAddress address_at(std::string_view data, size_t at, size_t size) {
  IpAddress out;
  if (size == 4) out.bytes[10] = out.bytes[11] = 0xff;
  for (size_t i = 0; i < size; ++i) out.bytes[out.bytes.size() - size + i] = byte_at(data, at + i);
  return out;
}

// The addresses of a connection that is passed on; `data` is the whole header.
bool take_block(std::string_view data, unsigned char family, ProxyHeader& out) {
  const size_t size = data.size() - kFixed;
  if (family == kUnspecified || family == kUnixStream) return true;
  if (family == kTcp4 && size >= kV4Block) {
    out.source = address_at(data, kFixed, 4);
    out.port = number_at(data, kFixed + 10);
    return true;
  }
  if (family != kTcp6 || size < kV6Block) return false;
  out.source = address_at(data, kFixed, 16);
  out.port = number_at(data, kFixed + 34);
  return true;
}

ProxyHeader parse_second(std::string_view data) {
  ProxyHeader out;
  out.parse = Parse::kIncomplete;
  if (data.size() < kFixed) return out;
  const unsigned char command = byte_at(data, 12);
  out.bytes = kFixed + number_at(data, 14);
  if ((command != kLocal && command != kProxy) || out.bytes > kMaxProxyHeader) {
    out.parse = Parse::kBad;
  } else if (data.size() >= out.bytes) {
    const bool good = command == kLocal || take_block(data.substr(0, out.bytes), byte_at(data, 13), out);
    out.parse = good ? Parse::kComplete : Parse::kBad;
  }
  return out;
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view data) {
  for (const std::string_view signature : {kFirst, kSecond}) {
    if (data.size() < signature.size() && signature.starts_with(data)) return {.parse = Parse::kIncomplete};
  }
  if (data.starts_with(kFirst)) return parse_first(data);
  if (data.starts_with(kSecond)) return parse_second(data);
  return {};
}

}  // namespace skiff::edge
