#include "io/setting.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"
#include "io/file.h"

namespace skiff::io {

Result<void> write_setting(const std::string& path, const std::string& value) {
  const auto current = read_file(path);
  if (current && trim(*current) == value) return {};
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return fail_errno(errno, "open " + path);
  if (::write(file.get(), value.data(), value.size()) < 0)
    return fail_errno(errno, "write " + value + " to " + path);
  return {};
}

}  // namespace skiff::io
