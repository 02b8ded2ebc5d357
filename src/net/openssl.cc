#include "net/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace skiff::net {

BioPtr memory_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::unexpected<Error> fail_openssl(Code code, std::string_view what) {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* reason = error ? ERR_reason_error_string(error) : nullptr;
  return fail(code, std::string(what) + ": " + (reason ? reason : "the peer broke the protocol or left"));
}

Result<KeyPtr> read_private_key(std::string_view key_pem) {
  const BioPtr bio = memory_bio(key_pem);
  // An empty passphrase: a locked key must not make OpenSSL ask on the terminal.
  char no_passphrase[] = "";
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, no_passphrase));
  if (!key) return fail_openssl(Code::kInvalidArgument, "the private key is not PEM");
  return key;
}

Result<X509Ptr> read_certificate(std::string_view certificate_pem) {
  const BioPtr bio = memory_bio(certificate_pem);
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) return fail_openssl(Code::kInvalidArgument, "the certificate is not PEM");
  return certificate;
}

}  // namespace skiff::net
