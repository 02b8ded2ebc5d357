// The source of a build, on its way from the push hook to the build's folder.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "io/sync.h"
#include "platform/builds/builder.h"

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

}  // namespace

io::Task<Result<void>> Builder::receive_source(std::string id, net::BodyReader& body) {
  auto limits = read_build_limits(options_.data);
  SKIFF_CO_RETURN_IF_ERROR(limits);
  auto opened = open_source(build_folder(id));
  SKIFF_CO_RETURN_IF_ERROR(opened);
  // Shared with the thread that writes, which may outlive a push that is cut.
  const auto file = std::make_shared<io::UniqueFd>(*opened);
  int64_t left = limits->push_mb << 20;
  for (bool ended = false; !ended;) {
    std::string pieces;
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
