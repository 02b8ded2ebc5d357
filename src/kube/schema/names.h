// Names as the API allows them; each check returns what is wrong, in upstream's words. Inside kube only;
// pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::kube {

using Details = std::vector<std::string>;

bool is_dns_subdomain(std::string_view text);  // RFC 1123, without the length
Details check_dns_subdomain(std::string_view text);
Details check_dns_label(std::string_view text);       // RFC 1123
Details check_dns_1035_label(std::string_view text);  // RFC 1035
Details check_path_segment(std::string_view text);
Details check_qualified_name(std::string_view text);  // "example.com/name"
Details check_label_value(std::string_view text);
Details check_port_name(std::string_view text);
Details check_config_key(std::string_view text);
bool is_ipv4(std::string_view text);
bool is_ip(std::string_view text);
// What keeps an address from being an endpoint that traffic is sent to: the machine's own and local links.
Details check_endpoint_ip(std::string_view text);
// The ports of nodes that Services may have.
inline constexpr int64_t kFirstNodePort = 30000, kLastNodePort = 32767;
// How long a service account's token may last.
Details check_token_lifetime(int64_t seconds);

}  // namespace skiff::kube
