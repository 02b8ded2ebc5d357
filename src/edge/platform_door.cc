#include "edge/platform_door.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "base/ip.h"
#include "base/json.h"

namespace skiff::edge {
namespace {

constexpr std::string_view kGit = ".git";

// The host without its port.
std::string_view name_of(std::string_view host) {
  const size_t end = host.starts_with('[') ? host.find(']') + 1 : host.find(':');
  return host.substr(0, end);
}

}  // namespace

bool is_local_peer(int fd) {
  sockaddr_storage peer{}, own{};
  socklen_t peer_size = sizeof peer, own_size = sizeof own;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return false;
  const auto from = address_of(reinterpret_cast<const sockaddr&>(peer));
  if (!from) return false;
  if (from->is_loopback()) return true;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
         address_of(reinterpret_cast<const sockaddr&>(own)) == from;
}

std::string insecure_response(std::string_view host, std::string_view path, std::string_view https_port,
                              bool to_head) {
  const size_t git = path.find(kGit);
  const bool for_git = git != std::string_view::npos;
  const std::string port = https_port == "443" ? "" : fmt::format(":{}", https_port);
  const std::string address =
      fmt::format("https://{}{}{}", name_of(host), port, for_git ? path.substr(0, git + kGit.size()) : "/");
  std::string text = "Over plain HTTP from another machine the token could be read on the way. ";
  text += https_port == "0"
              ? "This instance has no HTTPS port: ask its operator for one (skiff up --https-port)."
              : "Use " + address + " (its authority is pki/edge-ca.crt of the instance).";
  const std::string body =
      for_git ? text + "\n"
              : json::encode(json::Value::object({{"id", "insecure_connection"}, {"message", text}})) + "\n";
  return fmt::format(
      "HTTP/1.1 403 Forbidden\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "Connection: close\r\n\r\n{}",
      for_git ? "text/plain; charset=utf-8" : "application/json", body.size(), to_head ? "" : body);
}

}  // namespace skiff::edge
