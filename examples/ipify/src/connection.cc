#include "connection.h"

namespace ipify {

void ConnectionList::push_back(Connection& connection) {
  connection.unlink();
  connection.previous = ring_.previous;
  connection.next = &ring_;
  ring_.previous->next = &connection;
  ring_.previous = &connection;
}

Connection* ConnectionList::front() {
  return ring_.next == &ring_ ? nullptr : static_cast<Connection*>(ring_.next);
}

Millis ConnectionList::deadline() const {
  if (ring_.next == &ring_) return Millis::max();
  return static_cast<const Connection*>(ring_.next)->since + patience_;
}

}  // namespace ipify
