// Addresses, and the streams that simulations run on.
#include <doctest/doctest.h>

#include <array>

#include "io/sim_loop.h"
#include "io/sim_stream.h"
#include "io/sync.h"

using namespace skiff;
using namespace std::chrono_literals;

namespace {

// Writes all of `text`; `done` tells when the stream has taken it.
io::Task<void> write_all(io::Stream* stream, std::string text, bool* done) {
  auto written = co_await stream->write(text);
  *done = written.has_value();
}

std::string read_some(io::Loop& loop, io::Stream& stream) {
  std::array<char, 100> buffer;
  const auto got = io::block_on(loop, stream.read(buffer));
  return got ? std::string(buffer.data(), *got) : got.error().message;
}

}  // namespace

TEST_CASE("addresses are read as they are written") {
  for (const char* text : {"127.0.0.1:80", "[::1]:443", "localhost:8080", "unix:/run/x.sock"}) {
    const auto address = io::Address::parse(text);
    REQUIRE_MESSAGE(address, std::string(text));
    CHECK(address->to_string() == text);
  }
  for (const char* text : {"", "nothing", "host:", "host:99999", "host:-1", "[::1:80", "::1:80", "unix:"}) {
    CHECK_MESSAGE(!io::Address::parse(text), std::string(text));
  }
}

TEST_CASE("a simulated stream holds a writer back until its peer reads") {
  io::SimLoop loop;
  auto [near, far] = io::make_sim_pair(loop);
  bool done = false;
  io::TaskScope scope(loop);
  scope.spawn(write_all(near.get(), std::string(100 << 10, 'x'), &done));
  loop.run_until_idle();
  CHECK_FALSE(done);
  size_t received = 0;
  while (received < 100 << 10) received += read_some(loop, *far).size();
  loop.run_until_idle();
  CHECK(done);
}

TEST_CASE("each direction of a stream ends by itself") {
  io::SimLoop loop;
  auto [near, far] = io::make_sim_pair(loop);
  near->shutdown_write();
  CHECK(read_some(loop, *far).empty());
  REQUIRE(io::block_on(loop, far->write("still here")));
  CHECK(read_some(loop, *near) == "still here");
  far.reset();
  CHECK(read_some(loop, *near).empty());
}

TEST_CASE("a write to a peer that has gone is an error") {
  io::SimLoop loop;
  auto [near, far] = io::make_sim_pair(loop);
  far.reset();
  const auto written = io::block_on(loop, near->write("x"));
  REQUIRE_FALSE(written);
  CHECK(written.error().code == Code::kUnavailable);
}

TEST_CASE("nobody connects where nobody listens") {
  io::SimLoop loop;
  io::SimNetwork network(loop);
  const auto address = io::Address::tcp("10.0.0.1", 80);
  CHECK_FALSE(io::block_on(loop, network.connect(address)));
  {
    const auto listener = network.listen(address);
    CHECK(io::block_on(loop, network.connect(address)));
    CHECK_FALSE(network.listen(address));
  }
  CHECK_FALSE(io::block_on(loop, network.connect(address)));
}
