#include <fmt/core.h>

#include "io/file.h"
#include "io/inside.h"
#include "io/sync.h"
#include "platform/apps/procfile.h"
#include "platform/builds/builder.h"
#include "platform/images/blob_copy.h"
#include "platform/images/layout_writer.h"

namespace skiff::platform {

namespace {

constexpr size_t kMostSlugLayers = 8;  // besides slug.tar, as buildpacks/lib/pack.sh makes

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

struct Output {
  std::string name;
  io::FoundFile file;
};

// The archives of the app, the lowest layer first: those of folders that seldom change, then the rest.
Result<std::vector<Output>> open_archives(const std::string& folder) {
  std::vector<Output> archives;
  for (size_t i = 1; i <= kMostSlugLayers; ++i) {
    std::string name = fmt::format("layer-{}.tar", i);
    auto file = io::open_regular(folder, name);
    if (!file && file.error().code == Code::kNotFound) break;
    if (!file) return fail(Code::kInvalidArgument, "the build left something else than a file " + name);
    archives.push_back({std::move(name), std::move(*file)});
  }
  auto rest = open_output(folder, "slug.tar");
  if (!rest) return std::unexpected(rest.error());
  archives.push_back({"slug.tar", std::move(*rest)});
  return archives;
}

Result<void> check_size(const std::vector<Output>& archives, const BuildLimits& limits) {
  int64_t bytes = 0;
  for (const auto& archive : archives) bytes += archive.file.bytes;
  if (bytes <= limits.slug_mb << 20) return {};
  constexpr double kMegabyte = 1 << 20;
  return fail(
      Code::kResourceExhausted,
      fmt::format("the compiled app is {:.1f} MB, more than {}; leave files out with a .slugignore, or {}",
                  static_cast<double>(bytes) / kMegabyte, describe_megabytes(limits.slug_mb),
                  how_to_raise("slugMb", limits.slug_mb)));
}

// What the layout has already is not copied. The digest of a copy is that of its own bytes: what the build
// left may change.
Result<AppLayer> take_layer(const BuildFacts& facts, const std::string& images, const Output& archive) {
  if (archive.name != "slug.tar") {
    auto seen = hash_file(archive.file.fd.get());
    if (!seen) return std::unexpected(seen.error());
    if (has_blob(images, facts.app, seen->digest, seen->bytes))
      return AppLayer{seen->digest, seen->bytes, ""};
  }
  const std::string tar = facts.folder + "/" + archive.name;
  auto copied = copy_file_hashed(archive.file.fd.get(), tar);
  if (!copied) return wrap(copied.error(), "copy the compiled app");
  return AppLayer{copied->digest, copied->bytes, tar};
}

Result<std::string> take_image(const BuildFacts& facts, const std::string& images, LayerNames stack_layers) {
  auto archives = open_archives(facts.disk.folder + "/out");
  if (!archives) return std::unexpected(archives.error());
  SKIFF_RETURN_IF_ERROR(check_size(*archives, facts.limits));
  AppImage image{images, facts.app, facts.id, {}, std::move(stack_layers)};
  for (const auto& archive : *archives) {
    auto layer = take_layer(facts, images, archive);
    if (!layer) return std::unexpected(layer.error());
    image.layers.push_back(std::move(*layer));
  }
  return write_app_image(image);
}

Result<LayerNames> read_run_layers(const BuildFacts& facts) {
  auto layers = read_layer_names(facts.disk.folder + "/out", "run-layers");
  if (!layers || has_layers(facts.layers, *layers)) return layers;
  return fail(Code::kInvalidArgument,
              fmt::format("the app would run with stack layers ({}) that its build did not ask for ({}); the "
                          "bin/layers of its buildpack must name them",
                          join_layers(*layers, " "), join_layers(facts.layers, " ")));
}

}  // namespace

io::Task<Result<Slug>> Builder::make_image(BuildFacts facts) {
  auto types = read_types(facts.disk.folder + "/out");
  SKIFF_CO_RETURN_IF_ERROR(types);
  auto layers = read_run_layers(facts);
  SKIFF_CO_RETURN_IF_ERROR(layers);
  auto written =
      co_await io::run_blocking(copies_, [facts, images = options_.images, layers = std::move(*layers)] {
        return take_image(facts, images, layers);
      });
  SKIFF_CO_RETURN_IF_ERROR(written);
  co_return Slug{app_image_name(facts.app, facts.id), facts.commit, std::move(*types), std::move(*written)};
}

}  // namespace skiff::platform
