#include "io/folder_stream.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace skiff::io {

FolderStream open_folder(int parent, const char* name) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return nullptr;
  FolderStream stream(::fdopendir(fd));
  if (!stream) {
    const int why = errno;
    ::close(fd);
    errno = why;
  }
  return stream;
}

std::optional<EntryFacts> entry_facts(int parent, const char* name) {
  struct statx info{};
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
  if (::statx(parent, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, &info) != 0) return std::nullopt;
  const bool tells_mount = (info.stx_mask & STATX_MNT_ID) != 0;
  return EntryFacts{S_ISDIR(info.stx_mode),
                    info.stx_ino,
                    tells_mount ? info.stx_mnt_id : makedev(info.stx_dev_major, info.stx_dev_minor),
                    (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0,
                    info.stx_nlink,
                    info.stx_mode,
                    info.stx_uid,
                    info.stx_gid,
                    S_ISREG(info.stx_mode) ? info.stx_size : 0,
                    makedev(info.stx_rdev_major, info.stx_rdev_minor),
                    info.stx_blocks,
                    WallTime(std::chrono::seconds(info.stx_mtime.tv_sec) +
                             std::chrono::nanoseconds(info.stx_mtime.tv_nsec))};
}

bool is_dots(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

}  // namespace skiff::io
