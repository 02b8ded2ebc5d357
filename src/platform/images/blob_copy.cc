#include "platform/images/blob_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"
#include "io/file.h"
#include "net/openssl.h"

namespace skiff::platform {

namespace {

constexpr size_t kBlock = 1 << 20;
using DigestPtr = net::OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;

// Calls `take` with each block of the file.
template <typename Take>
Result<HashedBytes> read_hashed(int file, Take take) {
  const DigestPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
    return net::fail_openssl(Code::kInternal, "hash a layer");
  std::string block(kBlock, '\0');
  off_t at = 0;
  for (;;) {
    const ssize_t got = ::pread(file, block.data(), block.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read a layer");
    if (got == 0) break;
    at += got;
    const std::string_view bytes(block.data(), static_cast<size_t>(got));
    if (EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1)
      return net::fail_openssl(Code::kInternal, "hash a layer");
    SKIFF_RETURN_IF_ERROR(take(bytes));
  }
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) != 1)
    return net::fail_openssl(Code::kInternal, "hash a layer");
  digest.resize(size);
  return HashedBytes{"sha256:" + hex(digest), at};
}

}  // namespace

Result<HashedBytes> hash_file(int file) {
  return read_hashed(file, [](std::string_view) { return Result<void>{}; });
}

Result<HashedBytes> copy_file_hashed(int file, const std::string& to) {
  const io::UniqueFd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!target) return fail_errno(errno, "make " + to);
  return read_hashed(file, [&](std::string_view bytes) { return io::write_all(target.get(), bytes, to); });
}

}  // namespace skiff::platform
