#include "edge/tls_context.h"

#include <openssl/pem.h>

namespace skiff::edge {

Result<TlsContext> make_tls_context(const std::string& certificate, const std::string& key) {
  TlsContext ctx(SSL_CTX_new(TLS_server_method()));
  if (!ctx) return fail(Code::kInternal, "OpenSSL has no server method");
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  const std::unique_ptr<BIO, int (*)(BIO*)> chain(
      BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())), &BIO_free);
  X509* leaf = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr);
  bool good = leaf != nullptr && SSL_CTX_use_certificate(ctx.get(), leaf) == 1;
  X509_free(leaf);
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr))
    SSL_CTX_add_extra_chain_cert(ctx.get(), next);
  const std::unique_ptr<BIO, int (*)(BIO*)> secret(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())),
                                                   &BIO_free);
  EVP_PKEY* parsed = PEM_read_bio_PrivateKey(secret.get(), nullptr, nullptr, nullptr);
  good = good && parsed != nullptr && SSL_CTX_use_PrivateKey(ctx.get(), parsed) == 1;
  EVP_PKEY_free(parsed);
  if (!good)
    return fail(Code::kInvalidArgument,
                "the edge's certificate or key can't be read; both must be PEM and belong together");
  return ctx;
}

}  // namespace skiff::edge
