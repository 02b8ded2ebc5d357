#include "node/services/firewall.h"

#include <nftables/libnftables.h>

#include "base/check.h"
#include "base/strings.h"

namespace skiff::node {

NftFirewall::NftFirewall() : context_(nft_ctx_new(NFT_CTX_DEFAULT)) {
  SKIFF_CHECK(context_ != nullptr);
  nft_ctx_buffer_output(context_);
  nft_ctx_buffer_error(context_);
}

NftFirewall::~NftFirewall() {
  nft_ctx_free(context_);
}

Result<void> NftFirewall::apply(const std::string& commands) {
  if (nft_run_cmd_from_buffer(context_, commands.c_str()) == 0) return {};
  const char* text = nft_ctx_get_error_buffer(context_);
  return fail(Code::kInternal, "nft: " + std::string(trim(text != nullptr ? text : "unknown error")));
}

bool has_table(Firewall& firewall, const std::string& family, const std::string& name) {
  return firewall.apply("list table " + family + " " + name + "\n").has_value();
}

}  // namespace skiff::node
