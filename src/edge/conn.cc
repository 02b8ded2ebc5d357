#include "edge/conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace skiff::edge {
namespace {

constexpr int kUnsentBytes = 128 << 10;
constexpr size_t kKeepCapacity = 64 << 10;  // bytes of a buffer kept for the next use

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

// Bytes taken, 0 when the socket is full, -1 when the peer is gone.
ssize_t write_tls(SSL* ssl, std::string_view data) {
  if (data.empty()) return 0;
  ERR_clear_error();
  const int n = SSL_write(ssl, data.data(), static_cast<int>(std::min<size_t>(data.size(), 1 << 30)));
  if (n > 0) return n;
  const int why = SSL_get_error(ssl, n);
  return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ ? 0 : -1;
}

}  // namespace

Conn::~Conn() {
  close();
}

void Conn::close() {
  if (ssl != nullptr) SSL_free(ssl);
  ssl = nullptr;
  if (fd >= 0) ::close(fd);
  fd = -1;
}

void Conn::abort() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

Conn::Read Conn::read(char* buffer, size_t size, size_t& got) {
  got = 0;
  if (ssl != nullptr) {
    ERR_clear_error();
    const int n = SSL_read(ssl, buffer, static_cast<int>(size));
    if (n > 0) {
      got = static_cast<size_t>(n);
      return Read::kData;
    }
    const int why = SSL_get_error(ssl, n);
    readable = false;
    // The last one: the handshake waits for the route table.
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_X509_LOOKUP)
      return Read::kAgain;
    ended = true;
    return why == SSL_ERROR_ZERO_RETURN ? Read::kEnd : Read::kError;
  }
  ssize_t n = 0;
  do {
    n = ::recv(fd, buffer, size, 0);
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    got = static_cast<size_t>(n);
    // A short read has emptied the socket; the next edge says when there is more.
    if (got < size && !hung_up) readable = false;
    return Read::kData;
  }
  readable = false;
  if (n < 0 && would_block()) return Read::kAgain;
  ended = true;
  return n == 0 ? Read::kEnd : Read::kError;
}

bool Conn::write(std::string_view head, std::string_view body) {
  size_t taken = 0;
  if (!blocked() && ssl == nullptr) {
    iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                      {const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = body.empty() ? 1 : 2;
    const ssize_t n = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (n < 0 && !would_block() && errno != EINTR) return false;
    taken = n > 0 ? static_cast<size_t>(n) : 0;
    if (taken == head.size() + body.size()) return true;
  }
  if (taken < head.size()) out.append(head.substr(taken));
  out.append(body.substr(std::min(body.size(), taken - std::min(taken, head.size()))));
  return ssl == nullptr || flush();
}

bool Conn::flush() {
  while (blocked()) {
    const std::string_view rest = std::string_view(out).substr(out_at);
    ssize_t n = 0;
    if (ssl != nullptr) {
      n = write_tls(ssl, rest);
    } else {
      n = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n < 0 && (would_block() || errno == EINTR)) n = 0;
    }
    if (n < 0) return false;
    if (n == 0) return true;
    out_at += static_cast<size_t>(n);
  }
  out.clear();
  out_at = 0;
  if (out.capacity() > kKeepCapacity) out.shrink_to_fit();
  return true;
}

void Conn::pace() {
  if (paced) return;
  paced = true;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof kUnsentBytes);
}

void Conn::shutdown_write() {
  shut = true;
  if (ssl != nullptr) SSL_shutdown(ssl);
  if (fd >= 0) ::shutdown(fd, SHUT_WR);
}

}  // namespace skiff::edge
