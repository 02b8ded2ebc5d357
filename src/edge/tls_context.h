// The server's side of TLS, shared by all workers.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace skiff::edge {

struct TlsContextDelete {
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextDelete>;

// TLS 1.2 and 1.3 with a certificate (PEM, leaf first) and its key (PEM, secret). InvalidArgument when they
// can't be read or don't belong together.
Result<TlsContext> make_tls_context(const std::string& certificate, const std::string& key);

}  // namespace skiff::edge
