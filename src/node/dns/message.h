// DNS messages (RFC 1035) as far as a cluster's name server needs them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::node {

enum class DnsType : uint16_t {
  kA = 1,
  kCname = 5,
  kSoa = 6,
  kPtr = 12,
  kTxt = 16,
  kAaaa = 28,
  kSrv = 33,
  kAny = 255
};
enum class DnsCode : uint8_t {
  kOk = 0,
  kFormat = 1,
  kFailure = 2,
  kNoName = 3,
  kNotImplemented = 4,
  kRefused = 5
};

struct DnsQuestion {
  uint16_t id = 0;
  bool recursion_desired = false;
  std::string name;  // as asked, without the last dot
  uint16_t type = 0;
  uint16_t udp_size = 512;  // what the client takes over UDP (EDNS, RFC 6891)
  bool edns = false;
};
// Nothing when it is no well-formed query with one question of class IN.
std::optional<DnsQuestion> parse_dns_query(std::string_view packet);

struct DnsRecord {
  std::string name;
  DnsType type = DnsType::kA;
  std::string data;  // encoded: encode_address(), encode_name(), encode_srv(), encode_text()
};
std::string encode_address(uint32_t ipv4);
std::string encode_name(std::string_view name);
std::string encode_srv(uint16_t port, std::string_view target);
std::string encode_text(std::string_view text);

struct DnsAnswer {
  DnsCode code = DnsCode::kOk;
  std::vector<DnsRecord> records;
  std::string zone;   // for the SOA record of an empty answer
  std::string alias;  // the name whose addresses are still to be added, "" when the answer is complete
};
// `limit` bytes at most: records that do not fit are left out and the packet says truncated.
std::string encode_dns_answer(const DnsQuestion& question, const DnsAnswer& answer, size_t limit);

// A query to a resolver, with id 0.
std::string encode_dns_query(std::string_view name, uint16_t type);
// The code and the addresses (A or AAAA, by `type`) of a resolver's reply, as records of `name`: the aliases
// on the way to them are left out. Nothing when it is malformed.
std::optional<DnsAnswer> parse_dns_addresses(std::string_view packet, const std::string& name, uint16_t type);

}  // namespace skiff::node
