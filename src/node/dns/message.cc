#include "node/dns/message.h"

#include <algorithm>

#include "base/strings.h"

namespace skiff::node {

namespace {

constexpr size_t kHeader = 12;
constexpr uint32_t kTtl = 5;  // seconds: what cluster DNS servers use
constexpr uint16_t kClassIn = 1, kTypeOpt = 41;
constexpr size_t kMaxName = 255, kMaxLabel = 63;

uint16_t get16(std::string_view data, size_t at) {
  return static_cast<uint16_t>((static_cast<uint8_t>(data[at]) << 8) | static_cast<uint8_t>(data[at + 1]));
}
void put16(std::string& out, unsigned value) {
  out += static_cast<char>((value >> 8) & 255);
  out += static_cast<char>(value & 255);
}
void put32(std::string& out, uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

// A query's name has no compression pointers.
std::optional<std::string> read_name(std::string_view packet, size_t& at) {
  std::string out;
  while (at < packet.size()) {
    const auto length = static_cast<uint8_t>(packet[at++]);
    if (length == 0) return out;
    if (length > kMaxLabel || at + length > packet.size() || out.size() + length > kMaxName)
      return std::nullopt;
    if (!out.empty()) out += '.';
    out += packet.substr(at, length);
    at += length;
  }
  return std::nullopt;
}

// Moves past a name, which in a reply may end in a compression pointer; false when it has no end.
bool skip_name(std::string_view packet, size_t& at) {
  while (at < packet.size()) {
    const auto length = static_cast<uint8_t>(packet[at++]);
    if (length == 0) return true;
    if (length > kMaxLabel) return ++at <= packet.size();
    at += length;
  }
  return false;
}

void read_edns(std::string_view packet, size_t at, DnsQuestion& question) {
  constexpr size_t kOptBytes = 11;  // root name, type, class, ttl, length
  if (get16(packet, 10) == 0 || at + kOptBytes > packet.size()) return;
  if (packet[at] != 0 || get16(packet, at + 1) != kTypeOpt) return;
  question.edns = true;
  question.udp_size = std::max<uint16_t>(512, get16(packet, at + 3));
}

std::string encode_record(const DnsRecord& record) {
  std::string out = encode_name(record.name);
  put16(out, static_cast<uint16_t>(record.type));
  put16(out, kClassIn);
  put32(out, kTtl);
  put16(out, static_cast<unsigned>(record.data.size()));
  return out + record.data;
}

DnsRecord start_of_authority(const std::string& zone) {
  std::string data = encode_name("ns.dns." + zone) + encode_name("hostmaster." + zone);
  put32(data, 1);      // serial
  put32(data, 7200);   // refresh
  put32(data, 1800);   // retry
  put32(data, 86400);  // expire
  put32(data, kTtl);   // of negative answers
  return {zone, DnsType::kSoa, data};
}

}  // namespace

std::optional<DnsQuestion> parse_dns_query(std::string_view packet) {
  if (packet.size() < kHeader) return std::nullopt;
  const uint16_t flags = get16(packet, 2);
  const bool response = (flags & 0x8000) != 0, standard = (flags & 0x7800) == 0;
  if (response || !standard || get16(packet, 4) != 1) return std::nullopt;
  DnsQuestion out;
  out.id = get16(packet, 0);
  out.recursion_desired = (flags & 0x0100) != 0;
  size_t at = kHeader;
  auto name = read_name(packet, at);
  if (!name || at + 4 > packet.size()) return std::nullopt;
  out.name = std::move(*name);
  out.type = get16(packet, at);
  if (get16(packet, at + 2) != kClassIn) return std::nullopt;
  read_edns(packet, at + 4, out);
  return out;
}

std::string encode_address(uint32_t ipv4) {
  std::string out;
  put32(out, ipv4);
  return out;
}

std::string encode_name(std::string_view name) {
  std::string out;
  for (const auto& label : split(name, '.')) {
    if (label.empty()) continue;
    const size_t size = std::min(label.size(), kMaxLabel);
    out += static_cast<char>(size);
    out.append(label, 0, size);
  }
  return out + '\0';
}

std::string encode_srv(uint16_t port, std::string_view target) {
  std::string out;
  put16(out, 0);    // priority
  put16(out, 100);  // weight
  put16(out, port);
  return out + encode_name(target);
}

std::string encode_text(std::string_view text) {
  return std::string(1, static_cast<char>(std::min<size_t>(text.size(), 255))) +
         std::string(text.substr(0, 255));
}

std::string encode_dns_answer(const DnsQuestion& question, const DnsAnswer& answer, size_t limit) {
  std::string body = encode_name(question.name);
  put16(body, question.type);
  put16(body, kClassIn);
  std::string edns;
  if (question.edns) {
    edns += '\0';
    put16(edns, kTypeOpt);
    put16(edns, 1232);
    put32(edns, 0);
    put16(edns, 0);
  }
  unsigned answers = 0, authorities = 0;
  bool truncated = false;
  for (const auto& record : answer.records) {
    const std::string bytes = encode_record(record);
    if (kHeader + body.size() + bytes.size() + edns.size() > limit) {
      truncated = true;
      break;
    }
    body += bytes;
    ++answers;
  }
  if (answer.records.empty() && !answer.zone.empty()) {
    body += encode_record(start_of_authority(answer.zone));
    authorities = 1;
  }
  std::string out;
  put16(out, question.id);
  put16(out, 0x8480U | (question.recursion_desired ? 0x0100U : 0U) | (truncated ? 0x0200U : 0U) |
                 static_cast<unsigned>(answer.code));
  put16(out, 1);
  put16(out, answers);
  put16(out, authorities);
  put16(out, question.edns ? 1 : 0);
  return out + body + edns;
}

std::string encode_dns_query(std::string_view name, uint16_t type) {
  std::string out;
  for (const unsigned field : {0x0000U, 0x0100U, 1U, 0U, 0U, 0U})
    put16(out, field);  // recursion, one question
  out += encode_name(name);
  put16(out, type);
  put16(out, kClassIn);
  return out;
}

std::optional<DnsAnswer> parse_dns_addresses(std::string_view packet, const std::string& name,
                                             uint16_t type) {
  constexpr size_t kFixed = 10;  // type, class, ttl, length
  if (packet.size() < kHeader || (get16(packet, 2) & 0x8000) == 0) return std::nullopt;
  DnsAnswer out;
  out.code = static_cast<DnsCode>(get16(packet, 2) & 15);
  size_t at = kHeader;
  for (unsigned left = get16(packet, 4); left > 0; --left) {
    if (!skip_name(packet, at)) return std::nullopt;
    at += 4;
  }
  const size_t wanted = type == static_cast<uint16_t>(DnsType::kAaaa) ? 16 : 4;
  for (unsigned left = get16(packet, 6); left > 0; --left) {
    if (!skip_name(packet, at) || at + kFixed > packet.size()) return std::nullopt;
    const size_t length = get16(packet, at + 8);
    if (at + kFixed + length > packet.size()) return std::nullopt;
    if (get16(packet, at) == type && get16(packet, at + 2) == kClassIn && length == wanted)
      out.records.push_back(
          {name, static_cast<DnsType>(type), std::string(packet.substr(at + kFixed, length))});
    at += kFixed + length;
  }
  return out;
}

}  // namespace skiff::node
