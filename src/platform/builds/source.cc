#include "platform/builds/source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "io/file.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"
#include "platform/builds/submodules.h"
#include "platform/git/confinement.h"

namespace skiff::platform {

namespace {

constexpr size_t kWriteBytes = 1 << 20;  // at once

Result<io::UniqueFd> make_file(const std::string& path, uid_t owner) {
  io::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "make " + path);
  if (::fchown(file.get(), owner, owner) != 0) return fail_errno(errno, "chown " + path);
  return file;
}

// Others than root reach it only where it is mounted for them.
Result<void> make_folder(const std::string& folder) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder, 0711));
  if (::chmod(folder.c_str(), 0711) != 0) return fail_errno(errno, "chmod " + folder);
  return {};
}

// The first `size` bytes of a body; what came behind them is in `rest`.
io::Task<Result<std::string>> read_first(net::BodyReader& body, size_t size, std::string& rest) {
  while (rest.size() < size) {
    auto piece = co_await body.read_some();
    SKIFF_CO_RETURN_IF_ERROR(piece);
    if (piece->empty()) co_return fail(Code::kInvalidArgument, "what the hook of the push sent broke off");
    rest += *piece;
  }
  std::string first = rest.substr(0, size);
  rest.erase(0, size);
  co_return first;
}

Result<void> write_submodules(const std::string& folder, const std::string& lines) {
  auto submodules = parse_submodules(lines);
  SKIFF_RETURN_IF_ERROR(submodules);
  const std::string path = folder + "/submodules";
  const auto file = make_file(path, kDynoUser);
  if (!file) return std::unexpected(file.error());
  return io::write_all(file->get(), encode_submodules(*submodules), path);
}

// The rest of a body that began with `pieces`.
io::Task<Result<void>> write_files(io::Loop& loop, std::string path, int64_t megabytes, std::string pieces,
                                   net::BodyReader& body) {
  auto made = make_file(path, kGitUser);
  SKIFF_CO_RETURN_IF_ERROR(made);
  // Shared with the thread that writes, which may outlive a push that is cut.
  const auto file = std::make_shared<io::UniqueFd>(std::move(*made));
  int64_t left = megabytes << 20;
  for (bool ended = false; !ended;) {
    while (!ended && pieces.size() < kWriteBytes) {
      auto piece = co_await body.read_some();
      SKIFF_CO_RETURN_IF_ERROR(piece);
      ended = piece->empty();
      pieces += *piece;
    }
    left -= static_cast<int64_t>(pieces.size());
    if (left < 0) {
      co_return fail(Code::kResourceExhausted,
                     fmt::format("the commit's files take more than {}; leave large ones out of it, or {}",
                                 describe_megabytes(megabytes), how_to_raise("pushMb", megabytes)));
    }
    auto written = co_await io::run_blocking(loop, [file, data = std::exchange(pieces, {})] {
      return io::write_all(file->get(), data, "the source");
    });
    SKIFF_CO_RETURN_IF_ERROR(written);
  }
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<void>> receive_source(io::Loop& loop, std::string folder, BuildLimits limits,
                                      size_t submodule_bytes, net::BodyReader& body) {
  if (submodule_bytes > kMaxSubmoduleBytes) {
    co_return fail(Code::kInvalidArgument,
                   fmt::format("the commit has more than {} submodules", kMaxSubmodules));
  }
  auto made = make_folder(folder);
  SKIFF_CO_RETURN_IF_ERROR(made);
  std::string behind;
  auto lines = co_await read_first(body, submodule_bytes, behind);
  SKIFF_CO_RETURN_IF_ERROR(lines);
  auto noted = write_submodules(folder, *lines);
  SKIFF_CO_RETURN_IF_ERROR(noted);
  auto written = co_await write_files(loop, folder + "/source.tar", limits.push_mb, std::move(behind), body);
  co_return written;
}

}  // namespace skiff::platform
