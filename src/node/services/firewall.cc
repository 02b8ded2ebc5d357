#include "node/services/firewall.h"

#include <nftables/libnftables.h>

#include "base/check.h"
#include "base/strings.h"

namespace skiff::node {

Firewall::Firewall() : context_(nft_ctx_new(NFT_CTX_DEFAULT)) {
  SKIFF_CHECK(context_ != nullptr);
  nft_ctx_buffer_output(context_);
  nft_ctx_buffer_error(context_);
}

Firewall::~Firewall() {
  nft_ctx_free(context_);
}

Result<void> Firewall::apply(const std::string& commands) {
  if (nft_run_cmd_from_buffer(context_, commands.c_str()) == 0) return {};
  const char* text = nft_ctx_get_error_buffer(context_);
  return fail(Code::kInternal, "nft: " + std::string(trim(text != nullptr ? text : "unknown error")));
}

}  // namespace skiff::node
