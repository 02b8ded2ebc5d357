// Bytes on their way into an image layout, with their digest ("sha256:…"). Blocking: for run_blocking().
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace skiff::platform {

struct HashedBytes {
  std::string digest;
  int64_t bytes = 0;
};
// Of the whole file behind the descriptor, whatever was read of it before.
Result<HashedBytes> hash_file(int file);
// Copies the whole file to a new file `to`; the digest is that of the bytes which were written.
Result<HashedBytes> copy_file_hashed(int file, const std::string& to);

}  // namespace skiff::platform
