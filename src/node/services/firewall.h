// Applies a ruleset through libnftables. Blocking; one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct nft_ctx;

namespace skiff::node {

class Firewall {
 public:
  virtual ~Firewall() = default;
  // Commands for nft: all of them or nothing.
  virtual Result<void> apply(const std::string& commands) = 0;
};

// The kernel's, in the network of the calling thread.
class NftFirewall final : public Firewall {
 public:
  NftFirewall();
  ~NftFirewall() override;
  Result<void> apply(const std::string& commands) override;

 private:
  nft_ctx* context_;
};

// Whether a table is there: "ip" or "bridge", and its name. False as well when that can't be told.
bool has_table(Firewall& firewall, const std::string& family, const std::string& name);

}  // namespace skiff::node
