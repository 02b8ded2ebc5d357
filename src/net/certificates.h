// Making keys and certificates: the instance's own authorities and what they sign. ECDSA P-256.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace skiff::net {

struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;  // secret: mode 0600, never logged
};

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> organizations;  // for client certificates: the groups
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  bool for_server = false;  // extended key usage serverAuth, else clientAuth
  Duration lifetime = std::chrono::years(1);
};

// What verifiers accept of an authority: every certificate, or those of servers alone.
enum class Signs { kEverything, kServers };

Result<KeyPair> make_authority(const std::string& common_name, WallTime now,
                               Signs signs = Signs::kEverything);
// InvalidArgument when the authority can't be read or its halves don't belong together.
Result<KeyPair> sign_certificate(const KeyPair& authority, const CertificateRequest& request, WallTime now);
// True when the certificate is about the subject of the request (common name and organizations) and has
// every DNS name and address of it.
bool certificate_has_names(const std::string& certificate_pem, const CertificateRequest& request);
// When the certificate stops being valid.
Result<WallTime> certificate_expiry(const std::string& certificate_pem);

// A private key in its older form (SEC1, "BEGIN EC PRIVATE KEY"), which every Kubernetes client reads: some
// know no PKCS#8 of such keys.
Result<std::string> sec1_key_pem(const std::string& key_pem);

// RS256-free signing for service account tokens: ES256 over `data` with a P-256 key, raw r||s (RFC 7518 3.4).
Result<std::string> sign_es256(const std::string& key_pem, std::string_view data);
bool verify_es256(const std::string& certificate_or_public_key_pem, std::string_view data,
                  std::string_view signature);
// A public key on P-256: its coordinates, 32 bytes each, and its DER (SubjectPublicKeyInfo).
struct PublicKey {
  std::string x, y, der;
};
Result<PublicKey> es256_public_key(const std::string& certificate_or_public_key_pem);
std::string sha256(std::string_view data);
std::string sha512(std::string_view data);

}  // namespace skiff::net
