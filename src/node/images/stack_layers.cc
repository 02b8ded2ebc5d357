#include "node/images/stack_layers.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "io/tree.h"
#include "node/images/layout.h"
#include "node/images/shared_tree.h"
#include "node/images/store.h"

namespace skiff::node {

namespace {

constexpr Duration kWaitForOthers = std::chrono::minutes(30);  // who may each make a layer
constexpr Duration kWaitForLayout = std::chrono::minutes(1);   // while another process changes tags
constexpr Duration kPatience = std::chrono::seconds(2);        // before one is told that others go first
constexpr const char* kWorkFolder = "/making-";
constexpr double kMegabyte = 1e6;

// Ends a wait's part in a making, also when the wait is dropped.
struct Listening {
  std::function<void()> leave;
  ~Listening() { leave(); }
};

}  // namespace

StackLayers::StackLayers(io::Loop& loop, StackLayersOptions options)
    : loop_(loop),
      options_(std::move(options)),
      layout_(options_.layout),
      ready_(options_.machine.empty() ? options_.paths.images() + "/stack-layers" : options_.machine),
      work_(loop, 1),
      scope_(loop) {}

void StackLayers::Making::tell(const std::string& message) {
  last = message;
  // One that hears may leave.
  const auto all = listeners;
  for (const auto& [id, listener] : all) {
    if (listeners.contains(id) && listener) listener(message);
  }
}

std::string StackLayers::work_folder(const std::string& layer) const {
  return options_.paths.images() + kWorkFolder + layer;
}

Result<void> StackLayers::set_leftovers_aside() const {
  auto names = io::list_directory(options_.paths.images());
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    if (("/" + name).starts_with(kWorkFolder))
      SKIFF_RETURN_IF_ERROR(set_leftover_aside(options_.paths, options_.paths.images() + "/" + name));
  }
  return {};
}

io::Task<Result<void>> StackLayers::ensure(std::string name, TellLayer tell) {
  auto tag = parse_stack_tag(name);
  if (!tag) co_return std::unexpected(tag.error());
  if (tag->layers.empty() || options_.recipes.empty()) co_return Result<void>{};
  for (const auto& layer : tag->layers) {
    auto recipe = co_await io::run_blocking(
        work_, [folder = options_.recipes, layer] { return read_layer_recipe(folder, layer); });
    if (!recipe) co_return std::unexpected(recipe.error());
    auto ready = co_await ensure_layer(std::move(*recipe), tell);
    if (!ready) co_return ready;
  }
  const bool composed = co_await io::run_blocking(
      work_, [layout = layout_, name, tag = *tag] { return layout.is_composed(name, tag); });
  if (composed) co_return Result<void>{};
  auto lock = co_await wait_for_lock(loop_, layout_.lock_path(), kWaitForLayout);
  if (!lock) co_return std::unexpected(lock.error());
  co_return co_await io::run_blocking(
      work_, [layout = layout_, name, tag = *tag] { return layout.compose(name, tag); });
}

io::Task<Result<void>> StackLayers::mend(std::string tag) {
  auto lock = co_await wait_for_lock(loop_, layout_.lock_path(), kWaitForLayout);
  if (!lock) co_return std::unexpected(lock.error());
  co_return co_await io::run_blocking(
      work_, [layout = layout_, ready = ready_.folder(), stacks = options_.stacks, tag]() -> Result<void> {
        const auto base = layout.base();
        const auto removed = layout.remove_damaged(tag);
        for (const auto& digest : removed) {
          for (const auto& folder : {ready, stacks}) forget_damaged_blob(folder, digest);
        }
        if (removed.empty()) return fail(Code::kNotFound, "no blob of " + tag + " is damaged");
        if (base && std::ranges::find_first_of(*base, removed) == base->end()) return {};
        return fail(Code::kUnavailable,
                    "the stack images are damaged; `skiff down`, then `skiff up`, makes them anew");
      });
}

io::Task<Result<void>> StackLayers::ensure_layer(LayerRecipe recipe, TellLayer tell) {
  const std::string name = recipe.name;
  auto running = makings_.find(name);
  if (running == makings_.end()) {
    auto there = co_await io::run_blocking(work_, [layout = layout_, recipe]() -> Result<bool> {
      auto key = layout.key(recipe);
      if (!key) return std::unexpected(key.error());
      return layout.has(recipe.name, *key);
    });
    if (!there) co_return std::unexpected(there.error());
    if (*there) co_return Result<void>{};
    running = makings_.find(name);  // somebody may have begun meanwhile
  }
  auto making = running == makings_.end() ? std::make_shared<Making>(loop_) : running->second;
  if (running == makings_.end()) {
    makings_[name] = making;
    scope_.spawn(run_making(std::move(recipe), making));
  }
  const uint64_t id = ++last_listener_;
  if (!making->last.empty() && tell) tell(making->last);
  making->listeners[id] = std::move(tell);
  const Listening listening{[making, id] { making->listeners.erase(id); }};
  co_await making->done.wait();
  co_return making->result;
}

io::Task<void> StackLayers::run_making(LayerRecipe recipe, std::shared_ptr<Making> making) {
  const std::string name = recipe.name;
  const TellLayer tell = [making](const std::string& message) { making->tell(message); };
  making->result = co_await take_or_make(std::move(recipe), tell);
  if (!making->result)
    log_warn("a stack layer was not made", {{"layer", name}, {"error", making->result.error().message}});
  makings_.erase(name);
  making->done.set();
}

io::Task<Result<void>> StackLayers::take_or_make(LayerRecipe recipe, TellLayer tell) {
  const MonotonicTime began = loop_.now();
  auto folder = io::make_directories(ready_.lock_path().substr(0, ready_.lock_path().rfind('/')));
  if (!folder) co_return folder;
  auto lock = io::lock_file(ready_.lock_path());
  if (!lock && lock.error().code == Code::kUnavailable) {
    co_await io::sleep(loop_, kPatience);
    tell(fmt::format("{}: waits for another stack layer that is being made on this machine", recipe.name));
    lock = co_await wait_for_lock(loop_, ready_.lock_path(), kWaitForOthers);
  }
  if (!lock) co_return std::unexpected(lock.error());
  auto key = co_await io::run_blocking(work_, [layout = layout_, recipe] { return layout.key(recipe); });
  if (!key) co_return std::unexpected(key.error());
  const std::string entry = ready_.entry(recipe.name, *key), work = work_folder(recipe.name);
  auto there = co_await io::run_blocking(work_, [entry] {
    remove_partial_copies(entry);
    return read_layer_entry(entry);
  });
  if (there) {
    auto installed = co_await install(recipe, entry, *there);
    const double seconds = std::chrono::duration<double>(loop_.now() - began).count();
    if (installed)
      tell(fmt::format("{}: taken from this machine's ready layers in {:.1f} s", recipe.name, seconds));
    co_return installed;
  }
  auto made = co_await make(recipe, *key, work, tell);
  auto removed = co_await io::run_blocking(work_, [work] { return io::remove_tree(work); });
  if (!removed) log_warn("what a stack layer was made in stays", {{"error", removed.error().message}});
  co_return made;
}

// Over the folders that the node's store has of the base, or gets now.
io::Task<Result<LayerGround>> StackLayers::prepare(std::string work) {
  co_return co_await io::run_blocking(work_,
                                      [paths = options_.paths, layout = options_.layout, work,
                                       unshare = options_.unshare]() -> Result<LayerGround> {
                                        SKIFF_RETURN_IF_ERROR(io::remove_tree(work));
                                        SKIFF_RETURN_IF_ERROR(io::make_directories(work, 0755));
                                        auto ground = unpack_ground(paths, layout);
                                        if (!ground) return ground;
                                        ground->work = work;
                                        ground->unshare = unshare;
                                        return ground;
                                      });
}

io::Task<Result<void>> StackLayers::make(LayerRecipe recipe, std::string key, std::string work,
                                         TellLayer tell) {
  const MonotonicTime began = loop_.now();
  const std::string name = recipe.name;
  auto ground = co_await prepare(work);
  if (!ground) co_return wrap(ground.error(), "prepare the stack layer " + name);
  auto tars = co_await make_layer(loop_, recipe, *ground, tell);
  if (!tars) co_return std::unexpected(tars.error());
  auto kept = co_await io::run_blocking(
      work_, [store = ready_, work, name, key, tars = *tars]() -> Result<ReadyLayer> {
        auto layer = write_layer_entry(work + "/entry", name, key, tars);
        if (!layer) return layer;
        auto stays = store.keep(work + "/entry", *layer);
        if (!stays)
          log_warn("a stack layer is not kept for other instances", {{"error", stays.error().message}});
        return layer;
      });
  if (!kept) co_return wrap(kept.error(), "keep the stack layer " + name);
  auto installed = co_await install(std::move(recipe), work + "/entry", *kept);
  if (!installed) co_return wrap(installed.error(), "add the stack layer " + name);
  const int64_t bytes = co_await io::run_blocking(work_, [work] { return entry_bytes(work + "/entry"); });
  const double seconds = std::chrono::duration<double>(loop_.now() - began).count();
  tell(
      fmt::format("{}: made in {:.0f} s ({:.0f} MB)", name, seconds, static_cast<double>(bytes) / kMegabyte));
  co_return Result<void>{};
}

io::Task<Result<void>> StackLayers::install(LayerRecipe recipe, std::string from, ReadyLayer layer) {
  auto lock = co_await wait_for_lock(loop_, layout_.lock_path(), kWaitForLayout);
  if (!lock) co_return std::unexpected(lock.error());
  co_return co_await io::run_blocking(work_, [layout = layout_, recipe, from, layer]() -> Result<void> {
    auto key = layout.key(recipe);
    if (!key) return std::unexpected(key.error());
    if (*key == layer.key) return layout.install(from, layer);
    return fail(Code::kUnavailable, "the stack was replaced while its layer " + layer.name +
                                        " was being made; the next try makes it over the new one");
  });
}

}  // namespace skiff::node
