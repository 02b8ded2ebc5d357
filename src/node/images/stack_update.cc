#include "node/images/stack_update.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/process.h"
#include "io/sync.h"
#include "node/images/layer_maker.h"
#include "node/images/layer_store.h"
#include "node/images/layout.h"
#include "node/images/shared_tree.h"
#include "node/images/stack_cache.h"
#include "node/images/stack_step.h"
#include "node/images/store.h"

namespace skiff::node {

namespace {

constexpr Duration kWaitForOthers = std::chrono::minutes(30);  // who make layers
constexpr Duration kAptLimit = std::chrono::minutes(5);
constexpr Duration kReadLimit = std::chrono::minutes(2);  // of a file in a layer's tar
constexpr size_t kMaxStatus = 16 << 20;                   // bytes of a registry of packages
constexpr const char* kBaseStatus = "./var/lib/dpkg/status";

std::string layers_notes(const std::string& layer, const std::string& name) {
  return "./usr/share/skiff/layers/" + layer + "/" + name;
}

struct Update {
  io::Loop& loop;
  StackUpdateOptions options;
  StackLayout old, fresh;
  std::vector<LayerRecipe> recipes;  // of the layers that are there
  std::vector<ReadyLayer> made;
  void say(const std::string& line) const {
    if (options.stack.progress) options.stack.progress(line);
  }
  std::string work(const std::string& name) const { return options.stack.work + "/" + name; }
};

// A file of a layer, "" when it has none of that name.
io::Task<std::string> read_from_tar(io::Loop& loop, std::string tar, std::string path) {
  io::CommandOptions options;
  options.timeout = kReadLimit;
  options.max_output = kMaxStatus;
  std::vector<std::string> argv = {"tar", "-xOf", tar, path};
  auto read = co_await io::run_command(loop, std::move(argv), std::move(options));
  co_return read && read->status.ok() ? read->out : "";
}

// The registry of the base, and for each layer what it adds to it: together what dpkg would say.
io::Task<Result<std::vector<std::string>>> read_registries(const Update* update, StackLayout layout) {
  auto base = layout.base();
  if (!base) co_return std::unexpected(base.error());
  std::vector<std::string> out;
  out.push_back(co_await read_from_tar(update->loop, blob_path(layout.folder(), base->back()), kBaseStatus));
  if (out.front().empty())
    co_return fail(Code::kDataLoss, "the stack in " + layout.folder() + " has no registry of packages");
  for (const auto& recipe : update->recipes) {
    auto image = read_layout(layout.folder(), "build-" + recipe.name);
    if (!image) co_return std::unexpected(image.error());
    std::string stanzas;
    for (size_t i = base->size(); i < image->layers.size(); ++i) {
      const std::string tar = blob_path(layout.folder(), image->layers[i].digest);
      for (const char* name : {"status-run", "status-build"})
        stanzas += co_await read_from_tar(update->loop, tar, layers_notes(recipe.name, name));
    }
    out.push_back(std::move(stanzas));
  }
  co_return out;
}

// The packages of the base under "", those of each layer under its name.
std::vector<PackageChange> compare(const Update& update, const std::vector<std::string>& before,
                                   const std::vector<std::string>& after) {
  std::vector<PackageChange> out;
  for (size_t i = 0; i < before.size(); ++i) {
    PackageVersions old, fresh;
    add_packages(old, before[i]);
    add_packages(fresh, after[i]);
    for (auto& change : compare_packages(old, fresh)) {
      if (i > 0) change.package = update.recipes[i - 1].name + ": " + change.package;
      out.push_back(std::move(change));
    }
  }
  return out;
}

std::vector<std::string> apt_options(const Update& update, const std::string& status) {
  const std::string apt = update.work("apt");
  return {"-q",
          "-o",
          "Dir::Etc::SourceList=" + apt + "/sources.list",
          "-o",
          "Dir::Etc::SourceParts=/dev/null",
          "-o",
          "Dir::State=" + apt + "/state",
          "-o",
          "Dir::Cache=" + apt + "/cache",
          "-o",
          "Dir::State::status=" + status,
          "-o",
          "APT::Sandbox::User=root",
          "-o",
          "Debug::NoLocking=true"};
}

Result<void> prepare_apt(const Update& update, const std::vector<std::string>& registries) {
  const std::string apt = update.work("apt");
  for (const char* folder : {"/state/lists/partial", "/cache/archives/partial"})
    SKIFF_RETURN_IF_ERROR(io::make_directories(apt + folder));
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(apt + "/sources.list", join(stack_sources(), "\n") + "\n"));
  for (size_t i = 0; i < registries.size(); ++i) {
    // A later stanza of a package replaces an earlier one for apt, too.
    const std::string text = i == 0 ? registries[0] : registries[0] + "\n" + registries[i];
    SKIFF_RETURN_IF_ERROR(io::write_file_atomic(fmt::format("{}/status{}", apt, i), text));
  }
  return {};
}

// Whether apt would upgrade something: asked of the host's apt with the stack's registry, in seconds.
io::Task<Result<bool>> has_newer_packages(const Update* update, std::vector<std::string> registries) {
  auto prepared = prepare_apt(*update, registries);
  if (!prepared) co_return std::unexpected(prepared.error());
  const std::string status = update->work("apt/status");
  std::vector<std::string> argv = {update->options.apt_get};
  for (auto& option : apt_options(*update, status + "0")) argv.push_back(std::move(option));
  argv.insert(argv.end(), {"-o", "APT::Update::Error-Mode=any", "update"});
  auto fetched = co_await run_stack_step(update->loop, std::move(argv), {}, kAptLimit);
  if (!fetched)
    co_return fail(fetched.error().code,
                   "look for newer packages: " + pick_apt_error(fetched.error().message));
  for (size_t i = 0; i < registries.size(); ++i) {
    std::vector<std::string> ask = {update->options.apt_get};
    for (auto& option : apt_options(*update, fmt::format("{}{}", status, i)))
      ask.push_back(std::move(option));
    ask.insert(ask.end(), {"-s", "-y", "dist-upgrade"});
    std::string words;
    const StackWords hear = [&words](const std::string& line) { words += line + "\n"; };
    auto asked = co_await run_stack_step(update->loop, std::move(ask), hear, kAptLimit);
    if (!asked)
      co_return fail(asked.error().code, "look for newer packages: " + pick_apt_error(asked.error().message));
    if (has_upgrades(words)) co_return true;
  }
  co_return false;
}

io::Task<Result<void>> make_layer_anew(Update* update, LayerRecipe recipe, LayerGround ground) {
  ground.work = update->work("layer-" + recipe.name);
  auto folder = io::make_directories(ground.work, 0755);
  if (!folder) co_return folder;
  const TellLayer tell = [update](const std::string& message) { update->say(message); };
  auto tars = co_await make_layer(update->loop, recipe, ground, tell);
  if (!tars) co_return std::unexpected(tars.error());
  auto made = co_await io::run_blocking(
      update->loop,
      [fresh = update->fresh, recipe, entry = ground.work + "/entry", tars = *tars]() -> Result<ReadyLayer> {
        auto key = fresh.key(recipe);
        if (!key) return std::unexpected(key.error());
        auto layer = write_layer_entry(entry, recipe.name, *key, tars);
        if (!layer) return layer;
        SKIFF_RETURN_IF_ERROR(fresh.install(entry, *layer));
        return layer;
      });
  if (!made) co_return std::unexpected(made.error());
  update->made.push_back(std::move(*made));
  co_return Result<void>{};
}

io::Task<Result<void>> make_all(Update* update) {
  StackOptions stack = update->options.stack;
  stack.local_images = update->work("images");
  // Of its own: what a killed update started may go on for a while, and writes to where it was told.
  stack.work = update->work(fmt::format("make-{}", ::getpid()));
  stack.progress = {};
  auto made = co_await make_stack(update->loop, stack);
  if (!made || update->recipes.empty()) co_return made;
  const NodePaths paths{update->work("node")};
  auto ground = co_await io::run_blocking(
      update->loop, [paths, fresh = update->fresh] { return unpack_ground(paths, fresh.folder()); });
  if (!ground) co_return std::unexpected(ground.error());
  for (const auto& recipe : update->recipes) {
    auto layer = co_await make_layer_anew(update, recipe, *ground);
    if (!layer) co_return layer;
  }
  co_return Result<void>{};
}

// The instance first: what fails there is all that matters to it.
io::Task<Result<void>> publish(const Update* update) {
  auto lock = co_await wait_for_lock(update->loop, update->old.lock_path(), kReadLimit);
  if (!lock) co_return std::unexpected(lock.error());
  co_return co_await io::run_blocking(update->loop, [u = *update]() -> Result<void> {
    SKIFF_RETURN_IF_ERROR(put_copy(u.fresh.folder(), u.old.folder()));
    Result<void> kept;
    if (!u.options.stack.cache.empty())
      kept = StackCache(u.options.stack.cache, stack_recipe()).keep(u.fresh.folder());
    for (const auto& layer : u.made) {
      if (kept && !u.options.machine_layers.empty())
        kept = LayerStore(u.options.machine_layers).keep(u.work("layer-" + layer.name) + "/entry", layer);
    }
    if (!kept) log_warn("the new stack is not kept for other instances", {{"error", kept.error().message}});
    return {};
  });
}

// The layers that are there and whose recipe is, too.
std::vector<LayerRecipe> find_layers(const StackLayout& layout, const std::string& recipes) {
  std::vector<LayerRecipe> out;
  for (const auto& name : list_layer_recipes(recipes)) {
    auto recipe = read_layer_recipe(recipes, name);
    const auto key = recipe ? layout.key(*recipe) : Result<std::string>(std::unexpected(recipe.error()));
    if (key && layout.has(name, *key)) out.push_back(std::move(*recipe));
  }
  return out;
}

io::Task<Result<std::vector<PackageChange>>> update_in_work(Update* update) {
  auto before = co_await read_registries(update, update->old);
  if (!before) co_return std::unexpected(before.error());
  update->say("Looking for newer packages");
  auto newer = co_await has_newer_packages(update, *before);
  if (!newer) co_return std::unexpected(newer.error());
  if (!*newer) co_return std::vector<PackageChange>{};
  update->say("Making the stack anew; this takes a minute or two");
  auto made = co_await make_all(update);
  if (!made) co_return std::unexpected(made.error());
  auto after = co_await read_registries(update, update->fresh);
  if (!after) co_return std::unexpected(after.error());
  auto changes = compare(*update, *before, *after);
  if (changes.empty()) co_return changes;
  auto published = co_await publish(update);
  if (!published) co_return std::unexpected(published.error());
  co_return changes;
}

std::string lock_path(const StackOptions& options) {
  return options.work + ".lock";
}

io::Task<Result<io::UniqueFd>> lock_base(io::Loop& loop, std::string cache) {
  if (cache.empty()) co_return io::UniqueFd();
  co_return co_await StackCache(cache, stack_recipe()).lock(loop);
}

// The right to make stack layers, or none where instances share nothing.
io::Task<Result<io::UniqueFd>> lock_layers(io::Loop& loop, std::string machine) {
  if (machine.empty()) co_return io::UniqueFd();
  auto made = io::make_directories(machine);
  if (!made) co_return std::unexpected(made.error());
  co_return co_await wait_for_lock(loop, LayerStore(machine).lock_path(), kWaitForOthers);
}

}  // namespace

io::Task<Result<std::vector<PackageChange>>> update_stack(io::Loop& loop, StackUpdateOptions options) {
  if (!stack_ready(options.stack))
    co_return fail(Code::kUnavailable,
                   "there is no stack of this version to update yet: `skiff up` makes it");
  auto own = io::lock_file(lock_path(options.stack));
  if (!own) co_return fail(own.error().code, "another `skiff stack:update` goes on: " + own.error().message);
  auto base_lock = co_await lock_base(loop, options.stack.cache);
  if (!base_lock) co_return std::unexpected(base_lock.error());
  auto layers_lock = co_await lock_layers(loop, options.machine_layers);
  if (!layers_lock) co_return std::unexpected(layers_lock.error());
  const std::string work = options.stack.work;
  auto cleaned = co_await io::run_blocking(loop, [work] { return io::remove_tree(work); });
  if (!cleaned) co_return std::unexpected(cleaned.error());
  const StackLayout old(options.stack.local_images + "/stack"), fresh(work + "/images/stack");
  Update update{loop, options, old, fresh, find_layers(old, options.recipes), {}};
  auto changes = co_await update_in_work(&update);
  auto removed = co_await io::run_blocking(loop, [work] { return io::remove_tree(work); });
  if (!removed) log_warn("what the stack was made in stays", {{"error", removed.error().message}});
  co_return changes;
}

Result<void> remove_update_leftovers(const StackOptions& options) {
  if (!io::path_exists(options.work)) return {};
  const auto lock = io::lock_file(lock_path(options));
  return lock ? io::remove_tree(options.work) : Result<void>();
}

}  // namespace skiff::node
