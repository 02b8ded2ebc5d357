// A backend that costs next to nothing: one thread, keep-alive, the same small answer to each request without
// a body. tiny_backend <port>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

int listen_on(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 4096) != 0) {
    return -1;
  }
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// False when the connection is over.
bool serve(int fd, std::string& rest) {
  std::array<char, 16384> buffer;
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  rest.append(buffer.data(), static_cast<size_t>(got));
  std::string answers;
  size_t at = 0;
  for (size_t end; (end = rest.find(kHeadEnd, at)) != std::string::npos; at = end + kHeadEnd.size()) {
    answers += kAnswer;
  }
  rest.erase(0, at);
  return answers.empty() || ::send(fd, answers.data(), answers.size(), MSG_NOSIGNAL) > 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int listener = argc > 1 ? listen_on(static_cast<uint16_t>(std::atoi(argv[1]))) : -1;
  if (listener < 0) return std::fputs("usage: tiny_backend <free port>\n", stderr), 2;
  const int epoll = ::epoll_create1(0);
  watch(epoll, listener);
  std::unordered_map<int, std::string> clients;
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == listener) {
        const int client = ::accept(listener, nullptr, nullptr);
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (client >= 0) watch(epoll, client);
      } else if (!serve(fd, clients[fd])) {
        clients.erase(fd);
        ::close(fd);
      }
    }
  }
}
