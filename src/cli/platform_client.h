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

// While a part of Skiff is being restarted, a command waits so long for it.
constexpr Duration kRestartPatience = std::chrono::seconds(10);

class PlatformClient {
 public:
  PlatformClient(io::Loop& loop, io::Network& network, PlatformAddress address);
  // `body` null: none. A question that meets a restart is asked again for kRestartPatience, which is said
  // once on standard error; a change only when nothing of it was begun.
  io::Task<Result<json::Value>> call(std::string method, std::string path, json::Value body);
  // GET whose body is given as it comes, until the server ends it. `last_id`: the event to go on after, or
  // "".
  io::Task<Result<void>> stream(std::string path, std::string last_id,
                                std::function<void(std::string_view)> take);

 private:
  net::Request request(std::string method, std::string path) const;
  // Whether to ask again, after a pause; `begin` is when it was asked first.
  io::Task<bool> pause(std::string method, const Result<net::Response>* response, MonotonicTime begin);
  io::Loop& loop_;
  bool told_ = false;  // that it waits
  std::string token_;
  net::HttpClient client_;
};

}  // namespace skiff::cli
