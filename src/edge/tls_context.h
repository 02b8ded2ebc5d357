// The server's side of TLS, shared by all workers.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "base/result.h"
#include "edge/leaf_cache.h"

namespace skiff::edge {

struct TlsContextDelete {
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextDelete>;

// TLS 1.2 and 1.3, with the certificate of `leaves` that a client asks for; they outlive the context.
// InvalidArgument when their authority can't sign.
Result<TlsContext> make_tls_context(LeafCache& leaves);

}  // namespace skiff::edge
