// A client's socket with what belongs to it, and the lists that order connections by their deadline.
//
// Every connection stands in exactly one list: the one of what it waits for. All waits in a list have the
// same length, so the front is always the next to expire, and moving a connection costs four pointers. Owned
// and used by one Worker.
//
//   idle -> request      the first part of a request is here
//   idle, request -> idle         answered
//   idle, request -> write        the socket takes no more; back to idle or request when it does
//   idle -> first                 the server is stopping and no request has come yet
//   any but write -> linger       the last answer is out
#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>

#include "bounds.h"
#include "session.h"

namespace ipify {

// Owns a file descriptor; -1 is none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

enum class Wait {
  kIdle,     // for a request to begin
  kFirst,    // the same, on a new connection of a server that is stopping: the request is probably on its way
  kRequest,  // for the rest of a request
  kWrite,    // for the client to take the rest of an answer; nothing is read meanwhile
  kLinger,   // for the client to close; what it sends is dropped
};

// Links of an intrusive ring.
struct Links {
  Links* previous = this;
  Links* next = this;

  Links() = default;
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;
  void unlink() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
};

struct Connection : Links {
  Connection(UniqueFd socket, const Address& peer, const TrustPolicy& trust)
      : fd(std::move(socket)), session(peer, trust) {}

  UniqueFd fd;  // none once closed: the memory lives on until the end of the worker's turn
  Wait wait = Wait::kIdle;
  Millis since{0};  // when this wait began
  Session session;
  std::string unsent;  // kWrite: what the socket did not take
  Next after_write = Next::kRead;
  std::size_t lingered = 0;  // bytes dropped in kLinger
};

class ConnectionList {
 public:
  explicit ConnectionList(Millis patience) : patience_(patience) {}

  // Takes the connection out of the list it is in.
  void push_back(Connection& connection);
  // The one that has waited longest; null if there is none.
  Connection* front();
  // When the front's patience ends; Millis::max() if the list is empty.
  Millis deadline() const;

 private:
  Links ring_;
  Millis patience_;
};

}  // namespace ipify
