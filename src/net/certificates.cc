#include "net/certificates.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "net/openssl.h"

namespace skiff::net {

namespace {

constexpr auto kAuthorityLifetime = std::chrono::years(10);
constexpr auto kClockSkew = std::chrono::minutes(5);  // a peer's clock may be behind ours
constexpr int kSerialBytes = 16;                      // below the 20 that RFC 5280 allows

enum class Role { kAuthority, kServingAuthority, kServer, kClient };

std::string pem_text(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return std::string(bytes, static_cast<size_t>(size));
}

Result<void> set_serial(X509* certificate) {
  unsigned char bytes[kSerialBytes];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return fail_openssl(Code::kInternal, "make a serial number");
  bytes[0] &= 0x7f;  // positive
  const OpensslPtr<BIGNUM, BN_free> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
  return {};
}

void add_name(X509_NAME* name, const char* kind, const std::string& value) {
  X509_NAME_add_entry_by_txt(name, kind, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()), -1, 0);
}

void set_validity(X509* certificate, WallTime now, Duration lifetime) {
  const auto from =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now - kClockSkew));
  const auto to =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now + lifetime));
  ASN1_TIME_set(X509_getm_notBefore(certificate), from);
  ASN1_TIME_set(X509_getm_notAfter(certificate), to);
}

Result<void> add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const OpensslPtr<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return fail_openssl(Code::kInternal, "add an extension to a certificate");
  }
  return {};
}

Result<void> add_usage(X509* certificate, X509* issuer, Role role) {
  const bool authority = role == Role::kAuthority || role == Role::kServingAuthority;
  SKIFF_RETURN_IF_ERROR(add_extension(certificate, issuer, NID_basic_constraints,
                                      authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE"));
  SKIFF_RETURN_IF_ERROR(add_extension(
      certificate, issuer, NID_key_usage,
      authority ? "critical,keyCertSign,cRLSign,digitalSignature" : "critical,digitalSignature"));
  SKIFF_RETURN_IF_ERROR(add_extension(certificate, issuer, NID_subject_key_identifier, "hash"));
  if (role != Role::kAuthority) {
    SKIFF_RETURN_IF_ERROR(add_extension(certificate, issuer, NID_ext_key_usage,
                                        role == Role::kClient ? "clientAuth" : "serverAuth"));
  }
  if (authority) return {};
  return add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
}

using GeneralNames = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

// Built from objects, not from OpenSSL's configuration text, in which a name with a comma would add names.
Result<GeneralNames> alternative_names(const CertificateRequest& request) {
  GeneralNames names(sk_GENERAL_NAME_new_null());
  for (const auto& dns : request.dns_names) {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, dns.data(), static_cast<int>(dns.size()));
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  for (const auto& ip : request.ip_addresses) {
    ASN1_OCTET_STRING* bytes = a2i_IPADDRESS(ip.c_str());
    if (!bytes) {
      ERR_clear_error();
      return fail(Code::kInvalidArgument, "\"" + ip + "\" is not an IP address for a certificate");
    }
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_IPADD, bytes);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  return names;
}

Result<void> add_alternative_names(X509* certificate, const CertificateRequest& request) {
  const auto names = alternative_names(request);
  if (!names) return std::unexpected(names.error());
  if (sk_GENERAL_NAME_num(names->get()) == 0) return {};
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names->get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return fail_openssl(Code::kInternal, "add the names to a certificate");
  }
  return {};
}

Result<KeyPair> encode_pair(X509* certificate, EVP_PKEY* key) {
  const BioPtr certificate_out(BIO_new(BIO_s_mem()));
  const BioPtr key_out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_out.get(), certificate) != 1 ||
      PEM_write_bio_PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail_openssl(Code::kInternal, "encode a certificate");
  }
  return KeyPair{pem_text(certificate_out.get()), pem_text(key_out.get())};
}

// A certificate for a new key; without an authority it signs itself.
Result<KeyPair> issue(const CertificateRequest& request, Role role, WallTime now, X509* authority,
                      EVP_PKEY* authority_key) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  if (!key || !certificate) return fail_openssl(Code::kInternal, "make a key");
  X509* const raw = certificate.get();
  X509* const issuer = authority ? authority : raw;
  X509_set_version(raw, X509_VERSION_3);
  SKIFF_RETURN_IF_ERROR(set_serial(raw));
  set_validity(raw, now, request.lifetime);
  X509_set_pubkey(raw, key.get());
  X509_NAME* subject = X509_get_subject_name(raw);
  for (const auto& organization : request.organizations) add_name(subject, "O", organization);
  add_name(subject, "CN", request.common_name);
  X509_set_issuer_name(raw, X509_get_subject_name(issuer));
  SKIFF_RETURN_IF_ERROR(add_usage(raw, issuer, role));
  SKIFF_RETURN_IF_ERROR(add_alternative_names(raw, request));
  if (X509_sign(raw, authority_key ? authority_key : key.get(), EVP_sha256()) == 0) {
    return fail_openssl(Code::kInternal, "sign a certificate");
  }
  return encode_pair(raw, key.get());
}

}  // namespace

Result<KeyPair> make_authority(const std::string& common_name, WallTime now, Signs signs) {
  return issue({.common_name = common_name, .lifetime = kAuthorityLifetime},
               signs == Signs::kServers ? Role::kServingAuthority : Role::kAuthority, now, nullptr, nullptr);
}

Result<KeyPair> sign_certificate(const KeyPair& authority, const CertificateRequest& request, WallTime now) {
  const auto certificate = read_certificate(authority.certificate_pem);
  if (!certificate) return wrap(certificate.error(), "the signing authority");
  const auto key = read_private_key(authority.key_pem);
  if (!key) return wrap(key.error(), "the signing authority");
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    ERR_clear_error();
    return fail(Code::kInvalidArgument, "the signing authority's certificate and key don't belong together");
  }
  return issue(request, request.for_server ? Role::kServer : Role::kClient, now, certificate->get(),
               key->get());
}

Result<std::string> sec1_key_pem(const std::string& key_pem) {
  const auto key = read_private_key(key_pem);
  if (!key) return std::unexpected(key.error());
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey_traditional(out.get(), key->get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail_openssl(Code::kInternal, "encode a private key");
  return pem_text(out.get());
}

bool certificate_has_names(const std::string& certificate_pem, const CertificateRequest& request) {
  const auto certificate = read_certificate(certificate_pem);
  const auto wanted = alternative_names(request);
  if (!certificate || !wanted) return false;
  X509_NAME* subject = X509_get_subject_name(certificate->get());
  const OpensslPtr<X509_NAME, X509_NAME_free> expected(X509_NAME_new());
  for (const auto& organization : request.organizations) add_name(expected.get(), "O", organization);
  add_name(expected.get(), "CN", request.common_name);
  if (X509_NAME_cmp(subject, expected.get()) != 0) return false;
  const GeneralNames present(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate->get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(wanted->get()); ++i) {
    bool found = false;
    for (int j = 0; j < sk_GENERAL_NAME_num(present.get()) && !found; ++j) {
      found = GENERAL_NAME_cmp(sk_GENERAL_NAME_value(wanted->get(), i),
                               sk_GENERAL_NAME_value(present.get(), j)) == 0;
    }
    if (!found) return false;
  }
  return true;
}

Result<WallTime> certificate_expiry(const std::string& certificate_pem) {
  const auto certificate = read_certificate(certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate->get()), &parts) != 1) {
    return fail_openssl(Code::kInvalidArgument, "the certificate's expiry");
  }
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

}  // namespace skiff::net
