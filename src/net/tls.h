// TLS 1.2 and 1.3 over any stream, on OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/stream.h"

namespace skiff::net {

// What is spoken of TLS 1.2: forward secrecy, and ciphers that authenticate what they encrypt. CBC is not
// among them. TLS 1.3 has no others.
inline constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct TlsServerOptions {
  std::string certificate_pem;  // leaf first, then intermediates
  std::string key_pem;
  std::string client_ca_pem;  // not empty: asks clients for a certificate and verifies it when they send one
};
class TlsServerContext {
 public:
  static Result<std::shared_ptr<TlsServerContext>> create(const TlsServerOptions& options);
  ~TlsServerContext();
  struct Impl;
  explicit TlsServerContext(std::unique_ptr<Impl> impl);
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// What a client asks of its server's certificate.
enum class Trust {
  kVerified,
  kAnyServer,  // nothing: for questions that carry no secret and answers that are not relied upon
};
struct TlsClientOptions {
  std::string ca_pem;           // what to trust; "": the host's authorities
  std::string certificate_pem;  // client certificate, optional
  std::string key_pem;
  std::string server_name;  // verified against the certificate, IP addresses too
  Trust trust = Trust::kVerified;
};
class TlsClientContext {
 public:
  static Result<std::shared_ptr<TlsClientContext>> create(const TlsClientOptions& options);
  ~TlsClientContext();
  struct Impl;
  explicit TlsClientContext(std::unique_ptr<Impl> impl);
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// The name and organizations of a verified peer certificate.
struct PeerCertificate {
  std::string common_name;
  std::vector<std::string> organizations;
};

class TlsStream : public io::Stream {
 public:
  virtual const PeerCertificate& peer_certificate() const = 0;
};

// Handshakes within the caller's time; owns the inner stream.
io::Task<Result<std::unique_ptr<TlsStream>>> accept_tls(std::shared_ptr<TlsServerContext> context,
                                                        std::unique_ptr<io::Stream> inner);
io::Task<Result<std::unique_ptr<TlsStream>>> connect_tls(std::shared_ptr<TlsClientContext> context,
                                                         std::unique_ptr<io::Stream> inner);

}  // namespace skiff::net
