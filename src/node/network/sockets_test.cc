#include "node/network/sockets.h"

#include <doctest/doctest.h>

using namespace skiff::node;

TEST_CASE("a TCP socket of either family is seen") {
  CHECK(has_tcp_sockets("sockets: used 9\nTCP: inuse 2 orphan 1 tw 0 alloc 3 mem 4\nUDP: inuse 0 mem 0\n"));
  CHECK(has_tcp_sockets("TCP6: inuse 10\nUDP6: inuse 0\n"));
}

TEST_CASE("sockets in TIME_WAIT, of other networks and of other protocols are not") {
  CHECK(!has_tcp_sockets("sockets: used 9\nTCP: inuse 0 orphan 7 tw 40 alloc 3 mem 4\nUDP: inuse 5 mem 2\n"));
  CHECK(!has_tcp_sockets("TCP6: inuse 0\nUDP6: inuse 3\n"));
  CHECK(!has_tcp_sockets(""));
}
