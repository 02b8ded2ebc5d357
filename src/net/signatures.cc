// Digests and ES256 signatures of certificates.h.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <vector>

#include "net/certificates.h"
#include "net/openssl.h"

namespace skiff::net {

namespace {

constexpr int kCoordinateBytes = 32;  // of r and of s on P-256

using SignaturePtr = OpensslPtr<ECDSA_SIG, ECDSA_SIG_free>;
using DigestPtr = OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string digest(std::string_view data, const EVP_MD* kind) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), out, &size, kind, nullptr);
  return std::string(reinterpret_cast<char*>(out), size);
}

// RFC 7518 names one curve and one form for ES256; anything else must not pass for it.
bool is_p256(const EVP_PKEY* key) {
  char group[32] = {};
  size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

// DER, which OpenSSL speaks, to the fixed r || s.
Result<std::string> to_raw(const std::vector<unsigned char>& der) {
  const unsigned char* at = der.data();
  const SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string out(2 * kCoordinateBytes, '\0');
  auto* raw = reinterpret_cast<unsigned char*>(out.data());
  if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw, kCoordinateBytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw + kCoordinateBytes, kCoordinateBytes) < 0) {
    return fail_openssl(Code::kInternal, "encode a signature");
  }
  return out;
}

std::vector<unsigned char> to_der(std::string_view raw) {
  const SignaturePtr signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(raw), kCoordinateBytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(raw) + kCoordinateBytes, kCoordinateBytes, nullptr);
  ECDSA_SIG_set0(signature.get(), r, s);
  std::vector<unsigned char> der(static_cast<size_t>(i2d_ECDSA_SIG(signature.get(), nullptr)));
  unsigned char* at = der.data();
  i2d_ECDSA_SIG(signature.get(), &at);
  return der;
}

KeyPtr read_public_key(std::string_view pem) {
  if (auto certificate = read_certificate(pem)) return KeyPtr(X509_get_pubkey(certificate->get()));
  const BioPtr bio = memory_bio(pem);
  KeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return key;
}

}  // namespace

Result<std::string> sign_es256(const std::string& key_pem, std::string_view data) {
  const auto key = read_private_key(key_pem);
  if (!key) return std::unexpected(key.error());
  if (!is_p256(key->get())) return fail(Code::kInvalidArgument, "the signing key is not on the curve P-256");
  const DigestPtr context(EVP_MD_CTX_new());
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key->get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(data), data.size()) != 1) {
    return fail_openssl(Code::kInternal, "sign");
  }
  std::vector<unsigned char> der(size);
  if (EVP_DigestSign(context.get(), der.data(), &size, bytes_of(data), data.size()) != 1) {
    return fail_openssl(Code::kInternal, "sign");
  }
  der.resize(size);
  return to_raw(der);
}

bool verify_es256(const std::string& certificate_or_public_key_pem, std::string_view data,
                  std::string_view signature) {
  if (signature.size() != 2 * kCoordinateBytes) return false;
  const KeyPtr key = read_public_key(certificate_or_public_key_pem);
  if (!key || !is_p256(key.get())) return false;
  const auto der = to_der(signature);
  const DigestPtr context(EVP_MD_CTX_new());
  const bool valid =
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), der.data(), der.size(), bytes_of(data), data.size()) == 1;
  ERR_clear_error();
  return valid;
}

Result<PublicKey> es256_public_key(const std::string& certificate_or_public_key_pem) {
  const KeyPtr key = read_public_key(certificate_or_public_key_pem);
  if (!key || !is_p256(key.get())) return fail(Code::kInvalidArgument, "no public key on the curve P-256");
  PublicKey out;
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  if (size < 0) return fail_openssl(Code::kInternal, "encode a public key");
  out.der.assign(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  for (const auto& [name, coordinate] :
       {std::pair{OSSL_PKEY_PARAM_EC_PUB_X, &out.x}, {OSSL_PKEY_PARAM_EC_PUB_Y, &out.y}}) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key.get(), name, &number) != 1) {
      return fail_openssl(Code::kInternal, "read a public key");
    }
    coordinate->resize(kCoordinateBytes);
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(coordinate->data()), kCoordinateBytes);
    BN_free(number);
  }
  return out;
}

std::string sha256(std::string_view data) {
  return digest(data, EVP_sha256());
}
std::string sha512(std::string_view data) {
  return digest(data, EVP_sha512());
}

}  // namespace skiff::net
