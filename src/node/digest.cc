#include "node/digest.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "base/strings.h"

namespace skiff::node {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  SKIFF_CHECK(EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;

void Sha256::update(std::string_view data) {
  SKIFF_CHECK(EVP_DigestUpdate(impl_->context, data.data(), data.size()) == 1);
}

std::string Sha256::finish() {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  SKIFF_CHECK(EVP_DigestFinal_ex(impl_->context, bytes, &size) == 1);
  return hex({reinterpret_cast<const char*>(bytes), size});
}

std::string sha256_hex(std::string_view data) {
  Sha256 digest;
  digest.update(data);
  return digest.finish();
}

}  // namespace skiff::node
