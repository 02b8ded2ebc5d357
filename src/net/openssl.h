// Owners of OpenSSL objects and its errors as ours. For what speaks TLS itself, in net and edge: OpenSSL is
// heavy to include.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace skiff::net {

template <auto Free>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using OpensslPtr = std::unique_ptr<T, OpensslFree<Free>>;

using BioPtr = OpensslPtr<BIO, BIO_free_all>;
using X509Ptr = OpensslPtr<X509, X509_free>;
using KeyPtr = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;

// Reads from `text`, which outlives it.
BioPtr memory_bio(std::string_view text);
// "what: <OpenSSL's reason>"; empties OpenSSL's queue of errors.
std::unexpected<Error> fail_openssl(Code code, std::string_view what);
// The key never appears in the error.
Result<KeyPtr> read_private_key(std::string_view key_pem);
Result<X509Ptr> read_certificate(std::string_view certificate_pem);

}  // namespace skiff::net
