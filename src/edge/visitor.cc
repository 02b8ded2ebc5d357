#include "edge/visitor.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "edge/syntax.h"

namespace skiff::edge {
namespace {

// All values of a field, as one list.
std::string joined(const RequestHead& head, std::string_view name) {
  std::string out;
  for (size_t i = 0; i < head.count; ++i) {
    if (!same_name(head.fields[i].name, name) || head.fields[i].value.empty()) continue;
    if (!out.empty()) out += ", ";
    out += head.fields[i].value;
  }
  return out;
}

std::string_view first_of(std::string_view list) {
  return trim_blanks(list.substr(0, list.find(',')));
}

// The address in "192.0.2.7", "192.0.2.7:4711", "[2001:db8::7]:4711" or "2001:db8::7".
std::optional<IpAddress> address_in(std::string_view node) {
  if (node.starts_with('[')) return parse_ip(node.substr(1, node.find(']') - 1));
  if (const auto whole = parse_ip(node)) return whole;
  return parse_ip(node.substr(0, node.find(':')));
}

// What a parameter of an element of Forwarded says, without its quotes.
std::string_view parameter(std::string_view element, std::string_view name) {
  for (std::string_view rest = element; !rest.empty();) {
    const size_t end = rest.find(';');
    const auto halves = split_once(trim_blanks(rest.substr(0, end)), "=");
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!same_name(halves.before, name)) continue;
    std::string_view value = halves.after;
    if (value.size() > 1 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

// The addresses of Forwarded, as X-Forwarded-For would list them. No address has a comma, quoted or not.
std::string chain_of(std::string_view forwarded) {
  std::string out;
  for (const auto& element : split(forwarded, ',')) {
    const auto address = address_in(parameter(element, "for"));
    if (address) out += (out.empty() ? "" : ", ") + address->text();
  }
  return out;
}

// From the edge outwards, as far as proxies are trusted.
std::string nearest_visitor(std::string_view chain, std::string_view peer,
                            const std::vector<IpNetwork>& trusted) {
  std::string visitor(peer);
  while (!chain.empty()) {
    const size_t comma = chain.rfind(',');
    const auto address =
        address_in(trim_blanks(comma == std::string_view::npos ? chain : chain.substr(comma + 1)));
    if (!address) break;
    visitor = address->text();
    if (!any_contains(trusted, *address) || comma == std::string_view::npos) break;
    chain = chain.substr(0, comma);
  }
  return visitor;
}

bool is_port(std::string_view text) {
  const auto number = parse_int(text);
  return number && text.front() != '0' && *number > 0 && *number <= UINT16_MAX;
}

void append_element(const Hop& hop, std::string& forwarded) {
  const bool v6 = hop.ip.find(':') != std::string_view::npos;
  forwarded += fmt::format(", for={0}{1}{0};proto={2}", v6 ? "\"" : "",
                           v6 ? fmt::format("[{}]", hop.ip) : hop.ip, hop.tls ? "https" : "http");
}

}  // namespace

void read_visitor(const RequestHead& head, const Hop& hop, const std::vector<IpNetwork>& trusted,
                  Visitor& out) {
  out.forwarded = joined(head, "forwarded");
  std::string chain = joined(head, "x-forwarded-for");
  if (chain.empty()) chain = chain_of(out.forwarded);
  out.ip = nearest_visitor(chain, hop.ip, trusted);
  out.chain = chain.empty() ? std::string(hop.ip) : fmt::format("{}, {}", chain, hop.ip);
  const std::string protos = joined(head, "x-forwarded-proto"), ports = joined(head, "x-forwarded-port");
  std::string_view proto = first_of(protos);
  if (proto.empty())
    proto = parameter(std::string_view(out.forwarded).substr(0, out.forwarded.find(',')), "proto");
  const bool https = same_name(proto, "https"), told = https || same_name(proto, "http");
  out.tls = told ? https : hop.tls;
  if (is_port(first_of(ports))) {
    out.port = first_of(ports);
  } else {
    out.port = !told ? hop.port : (https ? "443" : "80");
  }
  out.host = joined(head, "x-forwarded-host");
  if (!out.forwarded.empty()) append_element(hop, out.forwarded);
}

}  // namespace skiff::edge
