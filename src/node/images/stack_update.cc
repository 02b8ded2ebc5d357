#include "node/images/stack_update.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/images/layer_maker.h"
#include "node/images/layer_store.h"
#include "node/images/newer_packages.h"
#include "node/images/shared_tree.h"
#include "node/images/stack_cache.h"
#include "node/images/stack_step.h"
#include "node/images/store.h"

namespace skiff::node {

namespace {

constexpr Duration kWaitForOthers = std::chrono::minutes(30);  // who make layers
constexpr Duration kPatience = std::chrono::seconds(2);        // before one is told that others go first
constexpr Duration kReadLimit = std::chrono::minutes(2);       // of a file in a layer's tar

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
  NewerPackages apt() const { return {work("apt"), options.apt_get}; }
};

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

// Puts the layer into the fresh layout if the machine has it ready, of another instance's update.
Result<bool> take_layer(const Update& update, const LayerRecipe& recipe) {
  if (update.options.machine_layers.empty()) return false;
  auto key = update.fresh.key(recipe);
  if (!key) return std::unexpected(key.error());
  if (update.fresh.has(recipe.name, *key)) return true;
  const std::string entry = LayerStore(update.options.machine_layers).entry(recipe.name, *key);
  auto layer = read_layer_entry(entry);
  if (!layer) return false;
  SKIFF_RETURN_IF_ERROR(update.fresh.install(entry, *layer));
  return true;
}

io::Task<Result<void>> make_layer_anew(Update* update, LayerRecipe recipe, LayerGround ground) {
  ground.work = update->work("layer-" + recipe.name);
  ground.unshare = update->options.stack.unshare;
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

// The machine's ready stack becomes the fresh one, when it is another than the instance's and has today's
// packages: another instance's update made it.
io::Task<Result<bool>> take_machines_stack(Update* update) {
  if (update->options.stack.cache.empty()) co_return false;
  auto copied = co_await io::run_blocking(update->loop, [u = *update] {
    return StackCache(u.options.stack.cache, stack_recipe()).copy_to(u.fresh.folder());
  });
  const auto own = update->old.base(), others = update->fresh.base();
  if (!copied || !own || !others || *own == *others) co_return false;
  auto registries = co_await read_registries(update->loop, update->fresh, {});
  if (!registries) co_return std::unexpected(registries.error());
  auto newer = co_await has_newer_packages(update->loop, update->apt(), std::move(*registries));
  if (!newer) co_return std::unexpected(newer.error());
  co_return !*newer;
}

io::Task<Result<void>> make_base(Update* update) {
  update->say("Making the stack anew; this takes a minute or two");
  auto emptied = co_await io::run_blocking(
      update->loop, [images = update->work("images")] { return io::remove_tree(images); });
  if (!emptied) co_return emptied;
  StackOptions stack = update->options.stack;
  stack.local_images = update->work("images");
  // Of its own: what a killed update started may go on for a while, and writes to where it was told.
  stack.work = update->work(fmt::format("make-{}", ::getpid()));
  stack.progress = {};
  auto made = co_await make_stack(update->loop, stack);
  co_return made;
}

io::Task<Result<void>> take_or_make_all(Update* update) {
  auto taken = co_await take_machines_stack(update);
  if (!taken) co_return std::unexpected(taken.error());
  if (*taken) {
    update->say("Taking the stack that another instance's update made");
  } else {
    auto made = co_await make_base(update);
    if (!made) co_return made;
  }
  std::vector<LayerRecipe> missing;
  for (const auto& recipe : update->recipes) {
    auto there =
        co_await io::run_blocking(update->loop, [u = *update, recipe] { return take_layer(u, recipe); });
    if (!there) co_return std::unexpected(there.error());
    if (!*there) missing.push_back(recipe);
  }
  if (missing.empty()) co_return Result<void>{};
  const NodePaths paths{update->work("node")};
  auto ground = co_await io::run_blocking(
      update->loop, [paths, fresh = update->fresh] { return unpack_ground(paths, fresh.folder()); });
  if (!ground) co_return std::unexpected(ground.error());
  for (const auto& recipe : missing) {
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
  auto before = co_await read_registries(update->loop, update->old, update->recipes);
  if (!before) co_return std::unexpected(before.error());
  update->say("Looking for newer packages");
  auto fetched = co_await fetch_package_lists(update->loop, update->apt());
  if (!fetched) co_return std::unexpected(fetched.error());
  auto newer = co_await has_newer_packages(update->loop, update->apt(), *before);
  if (!newer) co_return std::unexpected(newer.error());
  if (!*newer) co_return std::vector<PackageChange>{};
  auto made = co_await take_or_make_all(update);
  if (!made) co_return std::unexpected(made.error());
  auto after = co_await read_registries(update->loop, update->fresh, update->recipes);
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

io::Task<Result<io::UniqueFd>> lock_base(const Update* update) {
  if (update->options.stack.cache.empty()) co_return io::UniqueFd();
  const StackCache cache(update->options.stack.cache, stack_recipe());
  auto lock = cache.lock(update->loop);
  auto soon = co_await io::with_timeout(update->loop, kPatience, std::move(lock));
  if (soon || soon.error().code != Code::kTimeout) co_return soon;
  update->say("Waiting for another instance that makes the stack");
  auto late = co_await cache.lock(update->loop);
  co_return late;
}

// The right to make stack layers, or none where instances share nothing.
io::Task<Result<io::UniqueFd>> lock_layers(const Update* update) {
  const std::string& machine = update->options.machine_layers;
  if (machine.empty()) co_return io::UniqueFd();
  auto made = io::make_directories(machine);
  if (!made) co_return std::unexpected(made.error());
  const std::string path = LayerStore(machine).lock_path();
  auto soon = co_await wait_for_lock(update->loop, path, kPatience);
  if (soon || soon.error().code != Code::kTimeout) co_return soon;
  update->say("Waiting for a stack layer that is being made");
  auto late = co_await wait_for_lock(update->loop, path, kWaitForOthers);
  co_return late;
}

}  // namespace

io::Task<Result<std::vector<PackageChange>>> update_stack(io::Loop& loop, StackUpdateOptions options) {
  if (!stack_ready(options.stack))
    co_return fail(Code::kUnavailable,
                   "there is no stack of this version to update yet: `skiff up` makes it");
  auto own = io::lock_file(lock_path(options.stack));
  if (!own) co_return fail(own.error().code, "another `skiff stack:update` goes on: " + own.error().message);
  const std::string work = options.stack.work;
  const StackLayout old(options.stack.local_images + "/stack"), fresh(work + "/images/stack");
  Update update{loop, options, old, fresh, {}, {}};
  auto base_lock = co_await lock_base(&update);
  if (!base_lock) co_return std::unexpected(base_lock.error());
  auto layers_lock = co_await lock_layers(&update);
  if (!layers_lock) co_return std::unexpected(layers_lock.error());
  auto cleaned = co_await io::run_blocking(loop, [work] { return io::remove_tree(work); });
  if (!cleaned) co_return std::unexpected(cleaned.error());
  update.recipes = find_layers(old, options.recipes);
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
