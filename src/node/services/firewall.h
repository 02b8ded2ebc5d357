// Applies a ruleset through libnftables. Blocking; one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct nft_ctx;

namespace skiff::node {

class Firewall {
 public:
  Firewall();
  ~Firewall();
  // All of it or nothing.
  Result<void> apply(const std::string& commands);

 private:
  nft_ctx* context_;
};

}  // namespace skiff::node
