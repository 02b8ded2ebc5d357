#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "net/openssl.h"

namespace skiff::net {

namespace {

constexpr size_t kReadSize = 16 << 10;    // one record
constexpr size_t kWritePiece = 64 << 10;  // encrypted before it is handed to the inner stream

using ContextPtr = OpensslPtr<SSL_CTX, SSL_CTX_free>;
using SslPtr = OpensslPtr<SSL, SSL_free>;

// The leaf and the intermediates that follow it.
Result<void> use_certificate(SSL_CTX* context, const std::string& certificate_pem,
                             const std::string& key_pem) {
  const BioPtr bio = memory_bio(certificate_pem);
  const X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!leaf) return fail_openssl(Code::kInvalidArgument, "the certificate is not PEM");
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return fail_openssl(Code::kInvalidArgument, "the certificate cannot be used");
  }
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      return fail_openssl(Code::kInvalidArgument, "an intermediate certificate cannot be used");
    }
  }
  ERR_clear_error();
  const auto key = read_private_key(key_pem);
  if (!key) return std::unexpected(key.error());
  if (SSL_CTX_use_PrivateKey(context, key->get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return fail_openssl(Code::kInvalidArgument, "the key does not belong to the certificate");
  }
  return {};
}

Result<void> trust(SSL_CTX* context, const std::string& ca_pem) {
  const BioPtr bio = memory_bio(ca_pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  for (;; ++count) {
    const X509Ptr authority(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!authority) break;
    X509_STORE_add_cert(store, authority.get());
    SSL_CTX_add_client_CA(context, authority.get());
  }
  ERR_clear_error();
  if (count == 0) return fail(Code::kInvalidArgument, "the certificate authorities hold no PEM certificate");
  return {};
}

Result<ContextPtr> make_context(const SSL_METHOD* method) {
  ContextPtr context(SSL_CTX_new(method));
  if (!context) return fail_openssl(Code::kInternal, "make a TLS context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  if (SSL_CTX_set_cipher_list(context.get(), kTls12Ciphers) != 1)
    return fail_openssl(Code::kInternal, "choose the ciphers of TLS 1.2");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

// Chooses http/1.1, the only protocol spoken above; a client that offers others alone goes on without ALPN.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// The fields of a subject, by OpenSSL's number of their kind.
std::vector<std::string> subject_fields(const X509* certificate, int kind) {
  std::vector<std::string> out;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, kind, at)) >= 0;) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size >= 0) out.emplace_back(reinterpret_cast<char*>(text), static_cast<size_t>(size));
    OPENSSL_free(text);
  }
  return out;
}

// TLS on memory buffers between OpenSSL and the inner stream.
//
// Only handshake, write and shutdown move bytes out, so a dropped read() never cuts a record; what a read
// makes OpenSSL want to send (the answer to a key update) leaves with the next write.
class OpensslStream final : public TlsStream {
 public:
  OpensslStream(SslPtr ssl, std::shared_ptr<void> context, std::unique_ptr<io::Stream> inner)
      : context_(std::move(context)), inner_(std::move(inner)), ssl_(std::move(ssl)), incoming_(kReadSize) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
  }
  io::Task<Result<void>> handshake();
  io::Task<Result<size_t>> read(std::span<char> buffer) override;
  io::Task<Result<void>> write(std::string_view data) override;
  void shutdown_write() override;
  void close() override { inner_->close(); }
  std::string peer() const override { return inner_->peer(); }
  const PeerCertificate& peer_certificate() const override { return peer_certificate_; }

 private:
  io::Task<Result<void>> flush();
  io::Task<Result<size_t>> receive();
  static io::Task<void> say_goodbye(OpensslStream* self);
  void note_peer();
  std::unexpected<Error> handshake_error() const;

  std::shared_ptr<void> context_;
  std::unique_ptr<io::Stream> inner_;
  SslPtr ssl_;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
  std::vector<char> incoming_;
  std::string outgoing_;
  PeerCertificate peer_certificate_;
  io::Task<void> goodbye_;
};

// Feeds OpenSSL with what the peer sent; 0 at the end of the inner stream.
io::Task<Result<size_t>> OpensslStream::receive() {
  auto got = co_await inner_->read(incoming_);
  if (got && *got > 0) BIO_write(in_, incoming_.data(), static_cast<int>(*got));
  co_return got;
}

io::Task<Result<void>> OpensslStream::flush() {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out_, &bytes);
  if (size <= 0) co_return Result<void>{};
  outgoing_.assign(bytes, static_cast<size_t>(size));
  BIO_reset(out_);
  auto written = co_await inner_->write(outgoing_);
  co_return written;
}

std::unexpected<Error> OpensslStream::handshake_error() const {
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK) {
    ERR_clear_error();
    return fail(Code::kUnauthenticated,
                std::string("the peer's certificate is refused: ") + X509_verify_cert_error_string(verdict));
  }
  return fail_openssl(Code::kUnavailable, "TLS handshake");
}

io::Task<Result<void>> OpensslStream::handshake() {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const int reason = SSL_get_error(ssl_.get(), done);
    std::optional<std::unexpected<Error>> refused;
    if (done != 1 && reason != SSL_ERROR_WANT_READ) refused = handshake_error();
    // Also on failure: the alert tells the peer why.
    auto flushed = co_await flush();
    if (refused) co_return *refused;
    SKIFF_CO_RETURN_IF_ERROR(flushed);
    if (done == 1) break;
    auto got = co_await receive();
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(Code::kUnavailable, "the peer left during the TLS handshake");
  }
  note_peer();
  co_return Result<void>{};
}

void OpensslStream::note_peer() {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl_.get()));
  if (!certificate || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return;
  const auto names = subject_fields(certificate.get(), NID_commonName);
  if (!names.empty()) peer_certificate_.common_name = names.back();
  peer_certificate_.organizations = subject_fields(certificate.get(), NID_organizationName);
}

io::Task<Result<size_t>> OpensslStream::read(std::span<char> buffer) {
  for (;;) {
    ERR_clear_error();
    size_t got = 0;
    const int ok = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &got);
    if (ok == 1) co_return got;
    const int reason = SSL_get_error(ssl_.get(), ok);
    if (reason == SSL_ERROR_ZERO_RETURN) co_return size_t{0};
    if (reason != SSL_ERROR_WANT_READ) co_return fail_openssl(Code::kUnavailable, "TLS read from " + peer());
    auto received = co_await receive();
    // Many peers leave without a goodbye; message framing above tells a cut body from a whole one.
    if (!received || *received == 0) co_return received;
  }
}

io::Task<Result<void>> OpensslStream::write(std::string_view data) {
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kWritePiece);
    data.remove_prefix(piece.size());
    ERR_clear_error();
    size_t taken = 0;
    if (SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &taken) != 1) {
      co_return fail_openssl(Code::kUnavailable, "TLS write to " + peer());
    }
    auto flushed = co_await flush();
    SKIFF_CO_RETURN_IF_ERROR(flushed);
  }
  co_return Result<void>{};
}

io::Task<void> OpensslStream::say_goodbye(OpensslStream* self) {
  auto flushed = co_await self->flush();
  self->inner_->shutdown_write();
}

// Not a task: the goodbye is short and goes out at once unless the peer reads nothing, and then it may be
// lost.
void OpensslStream::shutdown_write() {
  if (goodbye_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  goodbye_ = say_goodbye(this);
  goodbye_.operator co_await().handle.resume();
}

io::Task<Result<std::unique_ptr<TlsStream>>> secure(std::unique_ptr<OpensslStream> stream) {
  auto done = co_await stream->handshake();
  if (!done) co_return std::unexpected(done.error());
  co_return std::unique_ptr<TlsStream>(std::move(stream));
}

// The certificate must carry this DNS name or IP address.
bool expect_name(SSL* ssl, const std::string& name) {
  unsigned char address[16];
  const bool is_address =
      inet_pton(AF_INET, name.c_str(), address) == 1 || inet_pton(AF_INET6, name.c_str(), address) == 1;
  if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 && SSL_set1_host(ssl, name.c_str()) == 1;
}

}  // namespace

struct TlsServerContext::Impl {
  ContextPtr context;
};
struct TlsClientContext::Impl {
  ContextPtr context;
  std::string server_name;
};

TlsServerContext::TlsServerContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsServerContext::~TlsServerContext() = default;
TlsClientContext::TlsClientContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsClientContext::~TlsClientContext() = default;

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::create(const TlsServerOptions& options) {
  auto context = make_context(TLS_server_method());
  if (!context) return std::unexpected(context.error());
  SSL_CTX* raw = context->get();
  SKIFF_RETURN_IF_ERROR(use_certificate(raw, options.certificate_pem, options.key_pem));
  if (!options.client_ca_pem.empty()) {
    SKIFF_RETURN_IF_ERROR(trust(raw, options.client_ca_pem));
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    // Sessions of clients with certificates resume only within one context name.
    static constexpr unsigned char kSessionName[] = "skiff";
    SSL_CTX_set_session_id_context(raw, kSessionName, sizeof kSessionName - 1);
  }
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  return std::make_shared<TlsServerContext>(std::make_unique<Impl>(std::move(*context)));
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::create(const TlsClientOptions& options) {
  if (options.server_name.empty())
    return fail(Code::kInvalidArgument, "a TLS client needs its server's name");
  auto context = make_context(TLS_client_method());
  if (!context) return std::unexpected(context.error());
  SSL_CTX* raw = context->get();
  const bool any_server = options.trust == Trust::kAnyServer;
  SSL_CTX_set_verify(raw, any_server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (!options.ca_pem.empty()) {
    SKIFF_RETURN_IF_ERROR(trust(raw, options.ca_pem));
  } else if (!any_server) {
    SSL_CTX_set_default_verify_paths(raw);
  }
  if (!options.certificate_pem.empty()) {
    SKIFF_RETURN_IF_ERROR(use_certificate(raw, options.certificate_pem, options.key_pem));
  }
  return std::make_shared<TlsClientContext>(std::make_unique<Impl>(std::move(*context), options.server_name));
}

io::Task<Result<std::unique_ptr<TlsStream>>> accept_tls(std::shared_ptr<TlsServerContext> context,
                                                        std::unique_ptr<io::Stream> inner) {
  SslPtr ssl(SSL_new(context->impl().context.get()));
  if (!ssl) co_return fail_openssl(Code::kInternal, "make a TLS session");
  SSL_set_accept_state(ssl.get());
  auto stream = std::make_unique<OpensslStream>(std::move(ssl), context, std::move(inner));
  auto secured = co_await secure(std::move(stream));
  co_return secured;
}

io::Task<Result<std::unique_ptr<TlsStream>>> connect_tls(std::shared_ptr<TlsClientContext> context,
                                                         std::unique_ptr<io::Stream> inner) {
  SslPtr ssl(SSL_new(context->impl().context.get()));
  if (!ssl) co_return fail_openssl(Code::kInternal, "make a TLS session");
  if (!expect_name(ssl.get(), context->impl().server_name)) {
    co_return fail_openssl(Code::kInvalidArgument,
                           "use \"" + context->impl().server_name + "\" as a TLS name");
  }
  SSL_set_connect_state(ssl.get());
  auto stream = std::make_unique<OpensslStream>(std::move(ssl), context, std::move(inner));
  auto secured = co_await secure(std::move(stream));
  co_return secured;
}

}  // namespace skiff::net
