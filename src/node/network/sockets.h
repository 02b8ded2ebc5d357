// The TCP sockets of a network that nobody uses any more. After close() the kernel goes on sending what a
// program has written, for as long as the network exists; then it forgets the socket.
#pragma once

#include <string_view>

namespace skiff::node {

// True when `counts`, the text of /proc/net/sockstat or sockstat6, tells of a TCP socket: with every program
// ended, one whose peer has not taken all data. TIME_WAIT does not count. Pure. The kernel keeps these
// numbers for each network; for /proc/net/tcp it goes through the table of the whole machine, for
// milliseconds.
bool has_tcp_sockets(std::string_view counts);

}  // namespace skiff::node
