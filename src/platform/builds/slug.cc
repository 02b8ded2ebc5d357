#include <fmt/core.h>
#include <unistd.h>

#include "io/file.h"
#include "io/inside.h"
#include "io/process.h"
#include "io/sync.h"
#include "platform/apps/procfile.h"
#include "platform/builds/builder.h"
#include "platform/images/layout_writer.h"

namespace skiff::platform {

namespace {

constexpr Duration kCopyTime = std::chrono::minutes(5);
constexpr size_t kDigestDigits = 64;  // of SHA-256

// Copies the file $0 to $1 and prints its SHA-256, reading it once.
constexpr const char* kCopyAndHash = "set -o pipefail; tee -- \"$1\" <\"$0\" | sha256sum";

// What the build put there may be anything: a link would lead out of it.
Result<io::FoundFile> open_output(const std::string& folder, const std::string& name) {
  auto file = io::open_regular(folder, name);
  if (!file) return fail(Code::kInvalidArgument, "the build left no " + name);
  return file;
}

Result<std::map<std::string, std::string>> read_types(const std::string& folder) {
  auto file = open_output(folder, "Procfile");
  if (!file) return std::unexpected(file.error());
  auto procfile = io::read_rest(file->fd.get(), "the Procfile", kMaxProcfileBytes);
  if (!procfile) return fail(Code::kInvalidArgument, "the Procfile is too large");
  auto types = parse_procfile(*procfile);
  if (types && types->empty()) {
    return fail(Code::kInvalidArgument, "the Procfile names no process type; add a line \"web: COMMAND\"");
  }
  return types;
}

}  // namespace

io::Task<Result<Slug>> Builder::make_image(BuildFacts facts) {
  const std::string out = facts.disk.folder + "/out", tar = facts.folder + "/slug.tar";
  auto types = read_types(out);
  SKIFF_CO_RETURN_IF_ERROR(types);
  auto packed = open_output(out, "slug.tar");
  SKIFF_CO_RETURN_IF_ERROR(packed);
  if (packed->bytes > facts.limits.slug_mb << 20) {
    co_return fail(Code::kResourceExhausted,
                   fmt::format("the compiled app is {} MB, more than {}; leave files out with a .slugignore",
                               packed->bytes >> 20, describe_megabytes(facts.limits.slug_mb)));
  }
  io::CommandOptions command;
  command.timeout = kCopyTime;
  // The file that was looked at, whatever has its name by now.
  std::vector<std::string> argv = {"bash", "-c", kCopyAndHash,
                                   fmt::format("/proc/{}/fd/{}", ::getpid(), packed->fd.get()), tar};
  auto digest = co_await io::run_command(loop_, std::move(argv), std::move(command));
  SKIFF_CO_RETURN_IF_ERROR(digest);
  if (!digest->status.ok()) co_return fail(Code::kInternal, "copy the compiled app: " + digest->err);
  auto run_layers = read_layer_names(out, "run-layers");
  SKIFF_CO_RETURN_IF_ERROR(run_layers);
  if (!has_layers(facts.layers, *run_layers)) {
    co_return fail(
        Code::kInvalidArgument,
        fmt::format("the app would run with stack layers ({}) that its build did not have ({}); the "
                    "bin/layers of its buildpack must name them",
                    join_layers(*run_layers, " "), join_layers(facts.layers, " ")));
  }
  AppImage image{
      options_.images,       facts.app, facts.id, tar, "sha256:" + digest->out.substr(0, kDigestDigits),
      std::move(*run_layers)};
  auto written = co_await io::run_blocking(loop_, [image] { return write_app_image(image); });
  SKIFF_CO_RETURN_IF_ERROR(written);
  co_return Slug{app_image_name(facts.app, facts.id), facts.commit, std::move(*types), std::move(*written)};
}

}  // namespace skiff::platform
