// What a proxy in front may send: the PROXY protocol's header, and fields that say who asks.
#include <cstdlib>

#include "edge/proxy_header.h"
#include "edge/visitor.h"
#include "input.h"

using namespace skiff;
using Header = edge::ProxyHeader;

namespace {

void check(bool good) {
  if (!good) std::abort();
}

// A header is read alike however it arrives, and what follows it changes nothing.
void try_header(std::string_view data) {
  const Header whole = edge::parse_proxy_header(data);
  if (whole.parse != Header::Parse::kComplete) return;
  check(whole.bytes > 0 && whole.bytes <= data.size() && whole.bytes <= edge::kMaxProxyHeader);
  for (size_t size = 0; size < whole.bytes; ++size)
    check(edge::parse_proxy_header(data.substr(0, size)).parse == Header::Parse::kIncomplete);
  const Header alone = edge::parse_proxy_header(data.substr(0, whole.bytes));
  check(alone.parse == whole.parse && alone.source == whole.source && alone.port == whole.port);
}

void try_visitor(std::string_view data) {
  edge::RequestHead head;
  if (edge::parse_request(data, 0, head) != edge::Parse::kComplete) return;
  static const auto trusted = parse_networks("10.0.0.0/8,fd00::/8").value();
  edge::Visitor visitor;
  edge::read_visitor(head, {"10.0.0.2", "80", false}, trusted, visitor);
  check(parse_ip(visitor.ip).has_value());
  check(visitor.chain.ends_with("10.0.0.2"));
  check(!visitor.port.empty() && visitor.port.size() <= 5);
  for (const std::string* text : {&visitor.chain, &visitor.host, &visitor.forwarded})
    check(text->find_first_of("\r\n") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view data(reinterpret_cast<const char*>(bytes), size);
  try_header(data);
  try_visitor(data);
  return 0;
}
