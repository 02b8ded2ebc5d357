#include "node/images/puller.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/process.h"
#include "node/images/damaged_layers.h"
#include "node/images/layer_seal.h"
#include "node/images/local_images.h"
#include "node/images/unpack.h"

namespace skiff::node {

namespace {

constexpr std::string_view kPullFolder = "pull-";
constexpr const char* kStackRepository = "stack";
constexpr size_t kWalksAtOnce = 2;      // of layers and pulled images: threads of the pool
constexpr size_t kMaxPullError = 2000;  // bytes of skopeo's words that a pod's status shows

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

ImageOutcome failure(std::string reason, std::string message) {
  return {{}, std::move(reason), std::move(message)};
}

// A registry of this machine may speak plain HTTP: nobody is between us and it.
bool is_loopback(const std::string& domain) {
  const std::string host = domain.substr(0, domain.rfind(':'));
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

// The last reason in skopeo's log lines: level=fatal msg="…".
std::string pull_error(const std::string& log) {
  constexpr std::string_view kMark = "level=fatal msg=\"";
  const size_t begin = log.rfind(kMark);
  if (begin == std::string::npos) return std::string(trim(log)).substr(0, kMaxPullError);
  std::string out;
  for (size_t i = begin + kMark.size(); i < log.size() && log[i] != '"' && out.size() < kMaxPullError; ++i) {
    if (log[i] == '\\' && i + 1 < log.size()) ++i;
    out += log[i];
  }
  return out;
}

// Of a blob, perhaps: its bytes are others, or it is not there.
bool is_damage(const Error& error) {
  return error.code == Code::kDataLoss || error.code == Code::kNotFound;
}

double seconds_between(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration<double>(to - from).count();
}

// Whether the tag points to another image than what is recorded. A tag that has vanished or can't be read
// still serves from the store: its pods may restart. Blocking, a few small reads.
bool has_moved(const std::string& layout, const std::string& tag, const std::string& id) {
  const auto image = read_layout(layout, tag);
  return image && image->config_digest != id;
}

}  // namespace

Puller::Puller(io::Loop& loop, PullerOptions options)
    : loop_(loop),
      options_(std::move(options)),
      store_(options_.paths),
      layers_(loop, {options_.local_images + "/" + kStackRepository, options_.layer_recipes,
                     options_.machine_layers, options_.machine_stacks, options_.paths}),
      cleared_(loop),
      walks_(loop, kWalksAtOnce) {}

std::string Puller::local_layout(const Reference& reference) const {
  return options_.local_images + "/" + reference.repository;
}

Result<void> Puller::open() {
  SKIFF_RETURN_IF_ERROR(store_.open());
  SKIFF_RETURN_IF_ERROR(layers_.set_leftovers_aside());
  // What pulls of an agent that was killed left.
  auto names = io::list_directory(options_.paths.images());
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    if (name.starts_with(kPullFolder))
      SKIFF_RETURN_IF_ERROR(set_leftover_aside(options_.paths, options_.paths.images() + "/" + name));
  }
  return {};
}

io::Task<Result<void>> Puller::seal_old_layers() {
  auto sealed = co_await io::run_blocking(walks_, [paths = options_.paths, layers = store_.layers()] {
    return node::seal_old_layers(paths, layers);
  });
  co_return sealed;
}

namespace {
// Of what only one task may do at a time.
struct Turn {
  Turn(bool& t, io::Event& e) : taken(t), left(e) { taken = true; }
  Turn(const Turn&) = delete;
  ~Turn() {
    taken = false;
    left.set();
  }
  bool& taken;
  io::Event& left;
};
}  // namespace

io::Task<void> Puller::remove_leftovers() {
  while (clearing_) {
    cleared_.reset();
    co_await cleared_.wait();
  }
  const Turn turn(clearing_, cleared_);
  auto removed = co_await io::run_blocking(walks_, [paths = options_.paths]() -> Result<void> {
    auto damaged = remove_damaged_layers(paths);
    auto left = node::remove_leftovers(paths);
    return damaged ? left : damaged;
  });
  if (!removed) log_warn("leftovers of pulls stay", {{"error", removed.error().message}});
}

bool Puller::present(const std::string& reference) const {
  const auto parsed = parse_reference(reference);
  return parsed && store_.find(parsed->canonical());
}

io::Task<ImageOutcome> Puller::ensure(std::string reference, std::string name_space, PullPolicy policy,
                                      std::string docker_config, Tell tell) {
  const auto parsed = parse_reference(reference);
  if (!parsed) {
    co_return failure("InvalidImageName", "Failed to apply default image tag " + quoted(reference) +
                                              ": couldn't parse image name " + quoted(reference) + ": " +
                                              parsed.error().message);
  }
  const bool local = parsed->domain == kLocalDomain;
  if (local) {
    auto allowed = check_local_use(local_layout(*parsed), *parsed, name_space);
    if (!allowed) co_return failure("ErrImagePull", allowed.error().message);
  }
  if (local && parsed->repository == kStackRepository) {
    auto ready = co_await layers_.ensure(parsed->tag, tell);
    if (!ready) co_return failure("ErrImagePull", ready.error().message);
  }
  auto known = store_.find(parsed->canonical());
  if (known && local) {
    const std::string layout = local_layout(*parsed);
    if (has_moved(layout, parsed->tag, known->id)) known.reset();
  }
  if (known) {
    const bool whole = co_await is_whole(*known);
    if (!whole) known.reset();
  }
  if (known && (local || policy != PullPolicy::kAlways)) {
    known->name = reference;
    co_return ImageOutcome{known, "", "", false, 0};
  }
  if (policy == PullPolicy::kNever && !local) {
    co_return failure("ErrImageNeverPull",
                      "Container image " + quoted(reference) + " is not present with pull policy of Never");
  }
  const MonotonicTime begin = loop_.now();
  auto fetched = co_await fetch(*parsed, reference, docker_config);
  if (!fetched && local && parsed->repository == kStackRepository && is_damage(fetched.error()))
    fetched = co_await fetch_mended(*parsed, reference, std::move(tell), fetched.error());
  if (!fetched) co_return failure("ErrImagePull", fetched.error().message);
  co_return ImageOutcome{*fetched, "", "", true, seconds_between(begin, loop_.now())};
}

// Walks the layers once in an agent's life: nothing but a power cut or a hand damages them.
io::Task<bool> Puller::is_whole(Image image) {
  if (whole_.contains(image.id)) co_return true;
  const bool whole = co_await io::run_blocking(
      walks_, [paths = options_.paths, image] { return ImageStore::is_whole(paths, image); });
  if (whole) whole_.insert(image.id);
  if (!whole) log_warn("an image is damaged; it is fetched again", {{"image", image.name}});
  co_return whole;
}

namespace {
struct PullGuard {
  std::function<void()> leave;
  ~PullGuard() { leave(); }
};
}  // namespace

io::Task<Result<Image>> Puller::fetch(Reference reference, std::string name, std::string docker_config) {
  const std::string canonical = reference.canonical();
  if (const auto running = pulls_.find(canonical); running != pulls_.end()) {
    auto shared = running->second;
    co_await shared->done.wait();
    co_return shared->result;
  }
  auto pull = std::make_shared<Pull>(loop_);
  pulls_[canonical] = pull;
  // Also when this task is dropped: those who wait must not wait for ever.
  PullGuard guard{[this, canonical, pull] {
    pulls_.erase(canonical);
    pull->done.set();
  }};
  if (reference.domain == kLocalDomain) {
    pull->result = co_await import(local_layout(reference), reference.tag);
  } else {
    pull->result = co_await fetch_remote(reference, docker_config);
  }
  if (pull->result) {
    pull->result->name = name;
    auto kept = co_await remember(canonical, *pull->result);
    if (!kept) pull->result = std::unexpected(kept.error());
    if (kept) whole_.insert(pull->result->id);
  }
  co_return pull->result;
}

io::Task<Result<Image>> Puller::fetch_mended(Reference reference, std::string name, Tell tell, Error damage) {
  auto mended = co_await layers_.mend(reference.tag);
  if (!mended && mended.error().code == Code::kNotFound) co_return std::unexpected(damage);
  if (!mended) co_return fail(mended.error().code, damage.message + "; " + mended.error().message);
  auto ready = co_await layers_.ensure(reference.tag, std::move(tell));
  if (!ready) co_return std::unexpected(ready.error());
  auto fetched = co_await fetch(std::move(reference), std::move(name), "");
  co_return fetched;
}

io::Task<Result<void>> Puller::remember(std::string canonical, Image image) {
  const ImageStore store = store_;
  auto written =
      co_await io::run_blocking(loop_, [store, canonical, image] { return store.write(canonical, image); });
  if (written) store_.add(canonical, std::move(image));
  co_return written;
}

io::Task<Result<Image>> Puller::import(std::string layout, std::string tag) {
  auto imported = co_await io::run_blocking(walks_, [paths = options_.paths, layout, tag]() -> Result<Image> {
    auto image = read_layout(layout, tag);
    if (!image) return std::unexpected(image.error());
    return ImageStore::unpack_image(paths, layout, *image);
  });
  co_return imported;
}

io::Task<Result<Image>> Puller::fetch_remote(Reference reference, std::string docker_config) {
  const std::string folder =
      options_.paths.images() + "/" + std::string(kPullFolder) + std::to_string(++last_pull_);
  auto made = co_await io::run_blocking(walks_, [folder, docker_config]() -> Result<void> {
    auto ignored = io::remove_tree(folder);
    SKIFF_RETURN_IF_ERROR(io::make_directories(folder));
    if (docker_config.empty()) return {};
    return io::write_file_atomic(folder + "/auth.json", docker_config);
  });
  if (!made) co_return std::unexpected(made.error());
  std::vector<std::string> argv = {options_.skopeo, "copy", "--quiet"};
  if (!docker_config.empty()) {
    argv.insert(argv.end(), {"--src-authfile", folder + "/auth.json"});
  }
  if (is_loopback(reference.domain)) argv.push_back("--src-tls-verify=false");
  argv.insert(argv.end(), {"docker://" + reference.canonical(), "oci:" + folder + "/layout:image"});
  io::CommandOptions options;
  options.timeout = options_.pull_limit;
  auto output = co_await io::run_command(loop_, argv, options);
  Result<Image> result = fail(Code::kUnavailable, "");
  if (!output) {
    result = std::unexpected(output.error());
  } else if (!output->status.ok()) {
    result = fail(Code::kUnavailable,
                  "failed to pull image " + quoted(reference.canonical()) + ": " + pull_error(output->err));
  } else {
    result = co_await import(folder + "/layout", "image");
  }
  auto removed = co_await io::run_blocking(walks_, [folder] { return io::remove_tree(folder); });
  co_return result;
}

std::optional<std::string> Puller::read_file(const Image& image, const std::string& path) const {
  return ImageStore::read_file(options_.paths, image, path);
}

Result<void> Puller::forget_unused(const std::vector<std::string>& in_use, Pressure pressure) {
  std::set<std::string> used;
  for (const auto& reference : in_use) {
    if (const auto parsed = parse_reference(reference)) used.insert(parsed->canonical());
  }
  for (const auto& image : store_.list()) {
    const auto parsed = parse_reference(image.name);
    if (!parsed || used.contains(parsed->canonical())) continue;
    const bool local = parsed->domain == kLocalDomain;
    const bool gone = local && !read_layout(local_layout(*parsed), parsed->tag);
    if (!gone && (local || pressure == Pressure::kNone)) continue;
    SKIFF_RETURN_IF_ERROR(store_.forget(parsed->canonical()));
  }
  return {};
}

io::Task<Result<void>> Puller::collect(InUse in_use, Pressure pressure) {
  while (clearing_) {
    cleared_.reset();
    co_await cleared_.wait();
  }
  const Turn turn(clearing_, cleared_);
  auto forgotten = forget_unused(in_use(), pressure);
  if (!forgotten) co_return forgotten;
  auto mounted =
      co_await io::run_blocking(walks_, [paths = options_.paths]() -> Result<std::set<std::string>> {
        auto removed = remove_damaged_layers(paths);
        if (!removed) log_warn("damaged image layers stay", {{"error", removed.error().message}});
        return mounted_layers();
      });
  if (!mounted) co_return std::unexpected(mounted.error());
  // What was set aside is removed, also by an earlier collection or agent; what is being unpacked is not
  // seen.
  Result<void> aside;
  if (pulls_.empty() && !layers_.busy()) aside = store_.set_unused_aside(*mounted);
  auto removed =
      co_await io::run_blocking(walks_, [paths = options_.paths] { return node::remove_leftovers(paths); });
  co_return aside ? removed : aside;
}

}  // namespace skiff::node
