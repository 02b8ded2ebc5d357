#include "node/images/newer_packages.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "io/file.h"
#include "io/process.h"
#include "node/images/layer_maker.h"
#include "node/images/layout.h"
#include "node/images/package_changes.h"
#include "node/images/stack.h"
#include "node/images/stack_step.h"

namespace skiff::node {

namespace {

constexpr Duration kAptLimit = std::chrono::minutes(5);
constexpr Duration kReadLimit = std::chrono::minutes(2);  // of a file in a layer's tar
constexpr size_t kMaxStatus = 16 << 20;                   // bytes of a registry of packages
constexpr const char* kBaseStatus = "./var/lib/dpkg/status";

std::string layers_notes(const std::string& layer, const std::string& name) {
  return "./usr/share/skiff/layers/" + layer + "/" + name;
}

// A file of a layer, "" when it has none of that name.
io::Task<std::string> read_from_tar(io::Loop& loop, std::string tar, std::string path) {
  io::CommandOptions options;
  options.timeout = kReadLimit;
  options.max_output = kMaxStatus;
  std::vector<std::string> argv = {"tar", "-xOf", tar, path};
  auto read = co_await io::run_command(loop, std::move(argv), std::move(options));
  co_return read && read->status.ok() ? read->out : "";
}

std::vector<std::string> apt_command(const NewerPackages& apt, const std::string& status) {
  return {apt.apt_get, "-q",
          "-o",        "Dir::Etc::SourceList=" + apt.folder + "/sources.list",
          "-o",        "Dir::Etc::SourceParts=/dev/null",
          "-o",        "Dir::State=" + apt.folder + "/state",
          "-o",        "Dir::Cache=" + apt.folder + "/cache",
          "-o",        "Dir::State::status=" + status,
          "-o",        "APT::Sandbox::User=root",
          "-o",        "Debug::NoLocking=true"};
}

Result<void> prepare(const NewerPackages& apt) {
  for (const char* folder : {"/state/lists/partial", "/cache/archives/partial"})
    SKIFF_RETURN_IF_ERROR(io::make_directories(apt.folder + folder));
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(apt.folder + "/none", ""));
  return io::write_file_atomic(apt.folder + "/sources.list", join(stack_sources(), "\n") + "\n");
}

std::unexpected<Error> failure(const Error& error) {
  return fail(error.code, "look for newer packages: " + pick_apt_error(error.message));
}

}  // namespace

io::Task<Result<std::vector<std::string>>> read_registries(io::Loop& loop, StackLayout layout,
                                                           std::vector<LayerRecipe> recipes) {
  auto base = layout.base();
  if (!base) co_return std::unexpected(base.error());
  std::vector<std::string> out;
  out.push_back(co_await read_from_tar(loop, blob_path(layout.folder(), base->back()), kBaseStatus));
  if (out.front().empty())
    co_return fail(Code::kDataLoss, "the stack in " + layout.folder() + " has no registry of packages");
  for (const auto& recipe : recipes) {
    auto image = read_layout(layout.folder(), "build-" + recipe.name);
    if (!image) co_return std::unexpected(image.error());
    std::string stanzas;
    for (size_t i = base->size(); i < image->layers.size(); ++i) {
      const std::string tar = blob_path(layout.folder(), image->layers[i].digest);
      for (const char* name : {"status-run", "status-build"})
        stanzas += co_await read_from_tar(loop, tar, layers_notes(recipe.name, name));
    }
    out.push_back(std::move(stanzas));
  }
  co_return out;
}

io::Task<Result<void>> fetch_package_lists(io::Loop& loop, NewerPackages apt) {
  auto prepared = prepare(apt);
  if (!prepared) co_return prepared;
  auto argv = apt_command(apt, apt.folder + "/none");
  argv.insert(argv.end(), {"-o", "APT::Update::Error-Mode=any", "update"});
  auto fetched = co_await run_stack_step(loop, std::move(argv), {}, kAptLimit);
  if (!fetched) co_return failure(fetched.error());
  co_return fetched;
}

io::Task<Result<bool>> has_newer_packages(io::Loop& loop, NewerPackages apt,
                                          std::vector<std::string> registries) {
  const std::string status = apt.folder + "/status";
  for (size_t i = 0; i < registries.size(); ++i) {
    // A later stanza of a package replaces an earlier one for apt, too.
    auto written =
        io::write_file_atomic(status, i == 0 ? registries[0] : registries[0] + "\n" + registries[i]);
    if (!written) co_return std::unexpected(written.error());
    auto argv = apt_command(apt, status);
    argv.insert(argv.end(), {"-s", "-y", "dist-upgrade"});
    std::string words;
    const StackWords hear = [&words](const std::string& line) { words += line + "\n"; };
    auto asked = co_await run_stack_step(loop, std::move(argv), hear, kAptLimit);
    if (!asked) co_return failure(asked.error());
    if (has_upgrades(words)) co_return true;
  }
  co_return false;
}

}  // namespace skiff::node
