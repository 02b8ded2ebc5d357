#include "platform/images/blob_copy.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/strings.h"
#include "io/file.h"
#include "net/certificates.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("a copy has the bytes and the digest of what it was made of") {
  std::string folder = "/tmp/skiff-copy-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  for (const size_t size : {size_t{0}, size_t{5}, (size_t{1} << 20) + 7}) {
    const std::string from = folder + "/from", to = folder + "/to" + std::to_string(size);
    const std::string bytes(size, 'x');
    REQUIRE(io::write_file_atomic(from, bytes));
    const io::UniqueFd file(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    const std::string digest = "sha256:" + hex(net::sha256(bytes));
    for (const auto& hashed : {hash_file(file.get()), copy_file_hashed(file.get(), to)}) {
      REQUIRE(hashed);
      CHECK(hashed->digest == digest);
      CHECK(hashed->bytes == static_cast<int64_t>(size));
    }
    CHECK(io::read_file(to).value_or("?") == bytes);
    CHECK_FALSE(copy_file_hashed(file.get(), to));  // never over what is there
  }
  auto removed = io::remove_tree(folder);
}
