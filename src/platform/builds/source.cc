// The source of a build, on its way from the push hook to the build's folder: the commit's submodules, one a
// line, then its files.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "io/file.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"
#include "platform/builds/builder.h"
#include "platform/builds/submodules.h"

namespace skiff::platform {

namespace {

constexpr size_t kWriteBytes = 1 << 20;  // at once

// Others than root reach the folder only where it is mounted for them.
Result<int> open_source(const std::string& folder) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder, 0711));
  if (::chmod(folder.c_str(), 0711) != 0) return fail_errno(errno, "chmod " + folder);
  const std::string path = folder + "/source.tar";
  io::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "make " + path);
  if (::fchown(file.get(), kGitUser, kGitUser) != 0) return fail_errno(errno, "chown " + path);
  return file.release();
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
  io::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "make " + path);
  SKIFF_RETURN_IF_ERROR(io::write_all(file.get(), encode_submodules(*submodules), path));
  if (::fchown(file.get(), kDynoUser, kDynoUser) != 0) return fail_errno(errno, "chown " + path);
  return {};
}

}  // namespace

io::Task<Result<void>> Builder::receive_source(std::string id, size_t submodule_bytes,
                                               net::BodyReader& body) {
  auto limits = read_build_limits(options_.data);
  SKIFF_CO_RETURN_IF_ERROR(limits);
  auto opened = open_source(build_folder(id));
  SKIFF_CO_RETURN_IF_ERROR(opened);
  if (submodule_bytes > kMaxSubmoduleBytes) {
    co_return fail(Code::kInvalidArgument,
                   fmt::format("the commit has more than {} submodules", kMaxSubmodules));
  }
  std::string behind;
  auto lines = co_await read_first(body, submodule_bytes, behind);
  SKIFF_CO_RETURN_IF_ERROR(lines);
  auto noted = write_submodules(build_folder(id), *lines);
  SKIFF_CO_RETURN_IF_ERROR(noted);
  // Shared with the thread that writes, which may outlive a push that is cut.
  const auto file = std::make_shared<io::UniqueFd>(*opened);
  int64_t left = limits->push_mb << 20;
  for (bool ended = false; !ended;) {
    std::string pieces = std::exchange(behind, {});
    while (!ended && pieces.size() < kWriteBytes) {
      auto piece = co_await body.read_some();
      SKIFF_CO_RETURN_IF_ERROR(piece);
      ended = piece->empty();
      pieces += *piece;
    }
    left -= static_cast<int64_t>(pieces.size());
    if (left < 0) {
      co_return fail(
          Code::kResourceExhausted,
          fmt::format("the commit's files take more than {}; leave large ones out of it, or {}",
                      describe_megabytes(limits->push_mb), how_to_raise("pushMb", limits->push_mb)));
    }
    auto written = co_await io::run_blocking(
        loop_, [file, data = std::move(pieces)] { return io::write_all(file->get(), data, "the source"); });
    SKIFF_CO_RETURN_IF_ERROR(written);
  }
  co_return Result<void>{};
}

}  // namespace skiff::platform
