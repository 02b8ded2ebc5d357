#include "edge/tls_context.h"

#include "base/log.h"
#include "net/tls.h"

namespace skiff::edge {
namespace {

WallTime wall_now() {
  return std::chrono::system_clock::now();
}

// Called in each full handshake when the client's first message is known; 0 ends it with an alert, -1 lets it
// wait (SSL_ERROR_WANT_X509_LOOKUP) until it is driven again.
int choose_certificate(SSL* ssl, void* context) {
  const char* given = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const std::string_view name = given ? given : "";
  auto& leaves = *static_cast<LeafCache*>(context);
  if (leaves.must_wait(name)) return -1;
  const auto leaf = leaves.find(name, wall_now());
  if (!leaf) {
    log_error("a certificate can't be made", {{"error", leaf.error().message}});
    return 0;
  }
  return SSL_use_cert_and_key(ssl, (*leaf)->certificate.get(), (*leaf)->key.get(), nullptr, 1);
}

}  // namespace

Result<TlsContext> make_tls_context(LeafCache& leaves) {
  TlsContext ctx(SSL_CTX_new(TLS_server_method()));
  if (!ctx) return fail(Code::kInternal, "OpenSSL has no server method");
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_2_VERSION);
  if (SSL_CTX_set_cipher_list(ctx.get(), net::kTls12Ciphers) != 1)
    return fail(Code::kInternal, "OpenSSL lacks the ciphers of TLS 1.2");
  SSL_CTX_set_options(ctx.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  // Now rather than at the first client: a bad authority must be told at the start.
  if (auto usable = leaves.find("", wall_now()); !usable) return std::unexpected(usable.error());
  SSL_CTX_set_cert_cb(ctx.get(), &choose_certificate, &leaves);
  return ctx;
}

}  // namespace skiff::edge
