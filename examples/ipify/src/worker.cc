#include "worker.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace ipify {
namespace {

std::string system_error(std::string_view what) {
  return std::string(what) + ": " + std::strerror(errno);
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

std::expected<std::unique_ptr<Worker>, std::string> Worker::create(UniqueFd listener, WorkerConfig config,
                                                                   const std::atomic<Stage>& stage) {
  std::unique_ptr<Worker> worker(new Worker(std::move(listener), std::move(config), stage));
  if (auto opened = worker->open(); !opened) return std::unexpected(opened.error());
  return worker;
}

Worker::Worker(UniqueFd listener, WorkerConfig config, const std::atomic<Stage>& stage)
    : listener_(std::move(listener)),
      config_(std::move(config)),
      stage_(&stage),
      idle_(config_.timeouts.idle),
      first_(config_.timeouts.first),
      request_(config_.timeouts.request),
      write_(config_.timeouts.write),
      linger_(config_.timeouts.linger),
      in_(kReadBytes, '\0') {}

Worker::~Worker() {
  for (ConnectionList* list : {&idle_, &first_, &request_, &write_, &linger_}) {
    while (Connection* connection = list->front()) close(*connection);
  }
}

std::expected<void, std::string> Worker::open() {
  epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return std::unexpected(system_error("cannot make an epoll instance"));
  wake_ = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_) return std::unexpected(system_error("cannot make an eventfd"));
  for (UniqueFd* fd : {&listener_, &wake_}) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = fd}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd->get(), &event) != 0) {
      return std::unexpected(system_error("cannot watch a socket"));
    }
  }
  return {};
}

void Worker::run() {
  std::array<epoll_event, kMaxEventsPerTurn> events;
  while (!finished()) {
    const int ready = ::epoll_wait(epoll_.get(), events.data(), kMaxEventsPerTurn, wait_time());
    clock_.read();
    for (int i = 0; i < ready; ++i) dispatch(events[static_cast<std::size_t>(i)]);
    follow_stage();
    if (accepting_ == Accepting::kPaused && clock_.now() >= accept_again_) resume_accepting();
    expire();
    closed_.clear();
  }
}

void Worker::wake() const {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the loop is awake already.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

bool Worker::finished() const {
  return followed_ == Stage::kClosing && connections_ == 0;
}

int Worker::wait_time() const {
  const Millis next = std::min({idle_.deadline(), first_.deadline(), request_.deadline(), write_.deadline(),
                                linger_.deadline(), drain_ends_, accept_again_});
  if (next == Millis::max()) return -1;
  return static_cast<int>(std::max(next - clock_.now(), Millis(0)).count()) + 1;
}

void Worker::dispatch(const epoll_event& event) {
  if (event.data.ptr == &listener_) return accept_some();
  if (event.data.ptr == &wake_) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(wake_.get(), &count, sizeof count);
    return;
  }
  Connection& connection = *static_cast<Connection*>(event.data.ptr);
  if (!connection.fd) return;
  if (connection.wait == Wait::kWrite) {
    on_writable(connection);
  } else {
    on_readable(connection);
  }
}

Turn Worker::turn() const {
  return {.common_headers = clock_.common_headers(),
          .intake = followed_ == Stage::kServing ? Intake::kOpen : Intake::kDraining};
}

void Worker::follow_stage() {
  const Stage stage = stage_->load(std::memory_order_acquire);
  if (stage >= Stage::kDraining && followed_ == Stage::kServing) begin_draining();
  const bool drained =
      followed_ == Stage::kDraining && (stage == Stage::kClosing || clock_.now() >= drain_ends_);
  if (drained) begin_closing();
  if (followed_ == Stage::kClosing) close_idle();
}

void Worker::begin_draining() {
  followed_ = Stage::kDraining;
  drain_ends_ = clock_.now() + config_.drain;
}

void Worker::begin_closing() {
  followed_ = Stage::kClosing;
  drain_ends_ = accept_again_ = Millis::max();
  // Clients whose connection the kernel has already made count as in flight.
  if (accepting_ != Accepting::kEnded) accept_some();
  accepting_ = Accepting::kEnded;
  listener_.reset();
}

// An idle connection may hold a request that has not been read yet: it is read once more before it is closed.
void Worker::close_idle() {
  while (Connection* connection = idle_.front()) {
    on_readable(*connection);
    if (connection->fd && connection->wait == Wait::kIdle) close_unless_new(*connection);
  }
}

// A proxy that has just connected is about to send; on a connection that was used before, it heard "close" or
// was silent.
void Worker::close_unless_new(Connection& connection) {
  if (connection.session.answered() > 0) return close(connection);
  wait_in(connection, Wait::kFirst);
}

void Worker::accept_some() {
  for (int i = 0; i < kMaxAcceptsPerTurn || followed_ == Stage::kClosing; ++i) {
    if (connections_ >= config_.max_connections && !make_room()) return pause_accepting();
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd =
        ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accept_one(fd, Address::from_socket(peer));
    } else if (would_block(errno)) {
      return;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return pause_accepting();
    }
    // Anything else is the fault of that one connection, which is gone already.
  }
}

void Worker::accept_one(int fd, const Address& peer) {
  auto connection = std::make_unique<Connection>(UniqueFd(fd), peer, config_.trust);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = connection.get()}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return;
  ++connections_;
  wait_in(*connection.release(), Wait::kIdle);  // owned by its list until close
}

void Worker::pause_accepting() {
  if (accepting_ != Accepting::kOn || followed_ == Stage::kClosing) return;
  accepting_ = Accepting::kPaused;
  accept_again_ = clock_.now() + config_.timeouts.accept_pause;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
}

void Worker::resume_accepting() {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &listener_}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event) != 0) {
    accept_again_ = clock_.now() + config_.timeouts.accept_pause;
    return;
  }
  accepting_ = Accepting::kOn;
  accept_again_ = Millis::max();
}

bool Worker::make_room() {
  Connection* const oldest = idle_.front();
  if (oldest == nullptr || clock_.now() - oldest->since < config_.timeouts.evict_after) return false;
  close(*oldest);
  return true;
}

void Worker::on_readable(Connection& connection) {
  const ssize_t count = ::recv(connection.fd.get(), in_.data(), in_.size(), 0);
  if (count < 0 && would_block(errno)) return;
  if (count <= 0) return close(connection);
  const auto received = static_cast<std::size_t>(count);
  if (connection.wait == Wait::kLinger) return on_lingering_bytes(connection, received);
  out_.clear();
  const std::uint64_t before = connection.session.answered();
  const Next next = connection.session.on_bytes({in_.data(), received}, turn(), out_);
  const std::uint64_t count_answered = connection.session.answered() - before;
  answered_.store(answered_.load(std::memory_order_relaxed) + count_answered, std::memory_order_relaxed);
  send_first(connection, next);
}

void Worker::on_lingering_bytes(Connection& connection, std::size_t count) {
  connection.lingered += count;
  if (connection.lingered > kMaxLingerBytes) close(connection);
}

void Worker::send_first(Connection& connection, Next next) {
  if (out_.empty()) return finish_turn(connection, next);
  ssize_t sent = ::send(connection.fd.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(out_.size())) return finish_turn(connection, next);
  if (sent < 0 && !would_block(errno)) return close(connection);
  connection.unsent = out_.substr(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  connection.after_write = next;
  wait_in(connection, Wait::kWrite);
  watch(connection, Interest::kWrite);
}

void Worker::on_writable(Connection& connection) {
  std::string& unsent = connection.unsent;
  const ssize_t sent = ::send(connection.fd.get(), unsent.data(), unsent.size(), MSG_NOSIGNAL);
  if (sent < 0 && would_block(errno)) return;
  if (sent < 0) return close(connection);
  unsent.erase(0, static_cast<std::size_t>(sent));
  if (!unsent.empty()) return;
  std::string().swap(unsent);
  watch(connection, Interest::kRead);
  if (!connection.fd) return;
  finish_turn(connection, connection.after_write);
}

void Worker::finish_turn(Connection& connection, Next next) {
  switch (next) {
    case Next::kRead:
      return settle(connection);
    case Next::kLinger:
      return linger(connection);
    case Next::kClose:
      return close(connection);
  }
}

void Worker::settle(Connection& connection) {
  if (!connection.session.mid_request()) return wait_in(connection, Wait::kIdle);
  // The clock of a request runs from its first byte: more bytes of the same request do not set it back.
  const bool same_request = connection.wait == Wait::kRequest && out_.empty();
  if (!same_request) wait_in(connection, Wait::kRequest);
}

void Worker::linger(Connection& connection) {
  ::shutdown(connection.fd.get(), SHUT_WR);
  wait_in(connection, Wait::kLinger);
}

void Worker::close(Connection& connection) {
  connection.unlink();
  connection.fd.reset();
  --connections_;
  closed_.emplace_back(&connection);
}

void Worker::expire() {
  expire_list(idle_);
  expire_list(first_);
  expire_list(request_);
  expire_list(write_);
  expire_list(linger_);
}

void Worker::expire_list(ConnectionList& list) {
  while (list.deadline() <= clock_.now()) {
    Connection& connection = *list.front();
    if (connection.wait == Wait::kRequest) {
      on_request_timeout(connection);
    } else {
      close(connection);
    }
  }
}

void Worker::on_request_timeout(Connection& connection) {
  out_.clear();
  const Next next = connection.session.on_timeout(turn(), out_);
  send_first(connection, next);
}

void Worker::wait_in(Connection& connection, Wait wait) {
  connection.wait = wait;
  connection.since = clock_.now();
  switch (wait) {
    case Wait::kIdle:
      return idle_.push_back(connection);
    case Wait::kFirst:
      return first_.push_back(connection);
    case Wait::kRequest:
      return request_.push_back(connection);
    case Wait::kWrite:
      return write_.push_back(connection);
    case Wait::kLinger:
      return linger_.push_back(connection);
  }
}

void Worker::watch(Connection& connection, Interest interest) {
  const std::uint32_t events = interest == Interest::kRead ? EPOLLIN : EPOLLOUT;
  epoll_event event{.events = events, .data = {.ptr = &connection}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event) != 0) close(connection);
}

}  // namespace ipify
