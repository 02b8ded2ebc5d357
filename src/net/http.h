// HTTP/1.1 messages, shared by server and client (RFC 9110, RFC 9112).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/task.h"

namespace skiff::net {

// Header fields in order; names compare without case.
class Headers {
 public:
  Headers() = default;
  explicit Headers(std::vector<std::pair<std::string, std::string>> fields) : fields_(std::move(fields)) {}
  // The first value of that name, nothing when there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view get(std::string_view name) const { return find(name).value_or(std::string_view()); }
  void add(std::string_view name, std::string_view value);
  // Replaces all values of that name.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  // True when the comma-separated list in the field has the token, without case.
  bool has_token(std::string_view name, std::string_view token) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Who is at the other end of a connection.
struct Peer {
  std::string address;  // "10.1.2.3:4567" or a unix socket's (io/unix_peer.h)
  bool tls = false;
  std::string certificate_name;                 // common name of a verified client certificate, else ""
  std::vector<std::string> certificate_groups;  // its organizations
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  // as sent: path and query
  Headers headers;
  std::string body;  // client side: what to send. Server side: empty, see BodyReader.
  Peer peer;         // server side only

  // The part of the target before '?', not decoded.
  std::string_view path() const;
  // The part after '?', or "".
  std::string_view query() const;
  // A decoded query parameter, nothing when absent.
  std::optional<std::string> query_parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  // Shared, so that bytes encoded once go to many clients without a copy.
  std::shared_ptr<const std::string> shared_body;
  std::string body;
  std::string_view content() const {
    return shared_body ? std::string_view(*shared_body) : std::string_view(body);
  }

  static Response text(int status, std::string body);
  static Response json(int status, std::string body);
};

std::string_view status_text(int status);

// Where the body of a message comes from, piece by piece.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The next piece; empty at the end. Invalid framing or a lost peer is an error.
  virtual io::Task<Result<std::string>> read_some() = 0;
};
// All of it; ResourceExhausted past `limit` bytes.
io::Task<Result<std::string>> read_all(BodyReader& body, size_t limit);

}  // namespace skiff::net
