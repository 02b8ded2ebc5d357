// The Platform API as the command line uses it: JSON in, JSON out, errors with the server's own words.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "io/loop.h"
#include "io/stream.h"
#include "net/http_client.h"

namespace skiff::cli {

struct PlatformAddress {
  io::Address address;
  std::string token;  // secret
};

class PlatformClient {
 public:
  PlatformClient(io::Loop& loop, io::Network& network, PlatformAddress address);
  // `body` null: none.
  io::Task<Result<json::Value>> call(std::string method, std::string path, json::Value body);
  // GET whose body is given as it comes, until the server ends it. `last_id`: the event to go on after, or
  // "".
  io::Task<Result<void>> stream(std::string path, std::string last_id,
                                std::function<void(std::string_view)> take);

 private:
  net::Request request(std::string method, std::string path) const;
  std::string token_;
  net::HttpClient client_;
};

}  // namespace skiff::cli
