#include "platform/builds/builder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/inside.h"
#include "io/process.h"
#include "io/sync.h"
#include "platform/apps/buildpacks.h"
#include "platform/apps/manifests.h"
#include "platform/apps/procfile.h"
#include "platform/builds/source.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr Duration kPastDeadline = std::chrono::seconds(60);  // for the pod to end once its time is over
constexpr Duration kLogPause =
    std::chrono::milliseconds(300);        // before a log that broke off is asked for again
constexpr size_t kCopiesAtOnce = 2;        // large ones keep the disk busy
constexpr size_t kMostDetails = 64 << 10;  // bytes of what a build says of itself
constexpr int kLogTries = 10;              // for what came at the end: the node may just be starting again
constexpr int kFirstError = 400;
constexpr int kMostPods = 3;  // of a build (layer_plan.h)
// How GNU tar says that the archive has no such file; its status is that of a damaged archive too.
constexpr std::string_view kTarLacks = "tar: Procfile: Not found in archive";

std::string pod_path(const std::string& name_space, const std::string& name) {
  return fmt::format("/api/v1/namespaces/{}/pods/{}", name_space, name);
}

// Of the build's pods, the first one is number 1.
std::string pod_name(const std::string& id, int number) {
  return number == 1 ? "build-" + id : fmt::format("build-{}-{}", id, number);
}

// Programs that met a full disk need not have said so.
bool is_full(const BuildDisk& disk) {
  struct statvfs info{};
  if (disk.bound != BuildDisk::Bound::kByFileSystem || ::statvfs(disk.folder.c_str(), &info) != 0)
    return false;
  return info.f_bavail == 0 || info.f_favail == 0;
}

Value no_grace() {
  return Value::object({{"gracePeriodSeconds", 0}});
}

Result<void> give_to_dyno(const std::string& path) {
  if (::lchown(path.c_str(), kDynoUser, kDynoUser) != 0) return fail_errno(errno, "chown " + path);
  return {};
}

// Without waiting for the disk: a build does not outlive the machine's end.
Result<void> write_input_file(const std::string& path, const std::string& text) {
  const io::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "create " + path);
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written < 0) return fail_errno(errno, "write " + path);
  if (written != static_cast<ssize_t>(text.size())) return fail_errno(ENOSPC, "write " + path);
  return {};
}

}  // namespace

// An app's turn to build. Cleans up in the end, in the background when the build was dropped half way.
class Builder::Turn {
 public:
  Turn(Builder& builder, std::string app, std::string id)
      : builder_(builder), app_(std::move(app)), id_(std::move(id)) {
    builder_.building_[app_] = id_;
  }
  ~Turn() {
    if (!over_) builder_.scope_.spawn(builder_.clean_up(app_, id_));
  }
  Turn(const Turn&) = delete;
  void set_over() { over_ = true; }

 private:
  Builder& builder_;
  std::string app_, id_;
  bool over_ = false;
};

Builder::Builder(io::Loop& loop, io::Network& network, kube::Client& api, Apps& apps,
                 Confinement& confinement, BuilderOptions options)
    : loop_(loop),
      api_(api),
      apps_(apps),
      confinement_(confinement),
      options_(std::move(options)),
      disks_(loop, options_.data),
      log_client_(loop, network, options_.api),
      copies_(loop, kCopiesAtOnce),
      scope_(loop) {}

io::Task<Result<void>> Builder::start() {
  auto manifest = builds_namespace_manifest();
  auto space = co_await api_.create("/api/v1/namespaces", std::move(manifest));
  if (!space && space.error().code != Code::kAlreadyExists) co_return std::unexpected(space.error());
  auto pods = co_await api_.list("/api/v1/pods", fmt::format("labelSelector={}", url_encode(kBuildLabel)));
  SKIFF_CO_RETURN_IF_ERROR(pods);
  for (const auto& pod : (*pods)["items"].items()) {
    const auto& metadata = pod["metadata"];
    const std::string path = pod_path(metadata["namespace"].str(), metadata["name"].str());
    auto removed = co_await api_.remove(path, no_grace());
    if (!removed && removed.error().code != Code::kNotFound) co_return removed;
  }
  co_await disks_.recover();
  auto builds = io::list_directory(options_.data + "/builds");
  SKIFF_CO_RETURN_IF_ERROR(builds);
  for (const auto& id : *builds) {
    auto removed =
        co_await io::run_blocking(loop_, [path = build_folder(id)] { return io::remove_tree(path); });
    SKIFF_CO_RETURN_IF_ERROR(removed);
  }
  co_return Result<void>{};
}

io::Task<Result<Release>> Builder::build(std::string app, std::string id, std::string commit,
                                         BuildOutput::Sink output, BuildDetails& details) {
  if (is_building(app)) {
    co_return fail(Code::kConflict,
                   fmt::format("another build of {} is going on; push again when it has ended", app));
  }
  Turn turn(*this, app, id);
  auto release = co_await build_and_release(app, id, std::move(commit), std::move(output), details);
  co_await clean_up(app, id);
  turn.set_over();
  log_info("build ended", {{"app", app}, {"build", id}, {"phases", describe_phases(details.phases)}});
  if (release) co_return release;
  auto still_there = co_await apps_.get(app);
  if (!still_there && still_there.error().code == Code::kNotFound)
    co_return fail(Code::kNotFound, fmt::format("{} was destroyed while it was built", app));
  release.error().message = plain_text(release.error().message);
  co_return release;
}

io::Task<Result<void>> Builder::receive_source(std::string id, size_t submodule_bytes,
                                               net::BodyReader& body) {
  auto limits = read_build_limits(options_.data);
  SKIFF_CO_RETURN_IF_ERROR(limits);
  auto received = co_await platform::receive_source(loop_, build_folder(id), *limits, submodule_bytes, body);
  co_return received;
}

io::Task<Result<void>> Builder::purge_cache(std::string app) {
  if (is_building(app)) {
    co_return fail(
        Code::kConflict,
        fmt::format("A build of {} is going on and uses its cache; try again when it has ended.", app));
  }
  auto purged = co_await disks_.purge(std::move(app));
  co_return purged;
}

io::Task<Result<Release>> Builder::build_and_release(std::string app, std::string id, std::string commit,
                                                     BuildOutput::Sink sink, BuildDetails& details) {
  auto limits = read_build_limits(options_.data);
  SKIFF_CO_RETURN_IF_ERROR(limits);
  BuildOutput output(loop_, std::move(sink), limits->output_kb);
  io::TaskScope scope(loop_);
  scope.spawn(BuildOutput::break_silence(&output));
  PhaseClock clock(loop_, details);
  BuildFacts facts{app, id, std::move(commit), build_folder(id), *limits, others_going(app)};
  auto slug = co_await make_slug(std::move(facts), output, details, clock);
  SKIFF_CO_RETURN_IF_ERROR(slug);
  output.tell("-----> Process types\n");
  for (const auto& [type, command] : slug->types) output.tell(fmt::format("       {}: {}\n", type, command));
  if (slug->types.contains("release"))
    output.tell(" !     The release phase is not run yet: nothing runs the Procfile's \"release\" command\n");
  output.tell("-----> Launching...\n");
  auto release = co_await apps_.release_slug(std::move(app), std::move(*slug));
  clock.end("release");
  co_return release;
}

io::Task<void> Builder::remove_pod(std::string name) {
  auto removed = co_await api_.remove(pod_path(kBuildsNamespace, name), no_grace());
  if (!removed && removed.error().code != Code::kNotFound) {
    log_warn("build pod stays", {{"pod", name}, {"error", removed.error().message}});
  }
}

io::Task<void> Builder::clean_up(std::string app, std::string id) {
  for (int number = 1; number <= kMostPods; ++number) co_await remove_pod(pod_name(id, number));
  co_await disks_.close(app);
  building_.erase(app);
}

std::vector<BuildPhase> Builder::read_details(const BuildFacts& facts, BuildDetails& details) const {
  const std::string out = facts.disk.folder + "/out";
  details.report = parse_report(io::read_inside(out, "report", kMostDetails).value_or(""));
  return parse_phases(io::read_inside(out, "phases", kMostDetails).value_or(""));
}

io::Task<Result<Slug>> Builder::make_slug(BuildFacts facts, BuildOutput& output, BuildDetails& details,
                                          PhaseClock& clock) {
  auto checked = co_await check_procfile(facts.id, facts.limits);
  SKIFF_CO_RETURN_IF_ERROR(checked);
  auto vars = co_await apps_.config(facts.app);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  auto buildpacks = co_await apps_.buildpacks(facts.app);
  SKIFF_CO_RETURN_IF_ERROR(buildpacks);
  auto input = write_input(facts.id, *vars, *buildpacks);
  SKIFF_CO_RETURN_IF_ERROR(input);
  auto disk = co_await disks_.open(facts.app, facts.limits.disk_mb);
  SKIFF_CO_RETURN_IF_ERROR(disk);
  facts.disk = *disk;
  clock.end("prepare");
  auto ran = co_await run_with_layers(facts, output, clock);
  clock.end("end", read_details(facts, details));
  SKIFF_CO_RETURN_IF_ERROR(ran);
  output.begin_phase("Storing the app");
  auto slug = co_await make_image(facts);
  clock.end("image");
  co_return slug;
}

io::Task<Result<void>> Builder::check_procfile(std::string id, BuildLimits limits) {
  std::vector<std::string> argv = {"tar", "--no-recursion", "-xOf", "source.tar", "Procfile"};
  io::CommandOptions options;
  options.env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  options.max_output = kMaxProcfileBytes + 1;
  auto text = co_await confinement_.run(build_folder(id), limits, std::move(argv), std::move(options));
  SKIFF_CO_RETURN_IF_ERROR(text);
  // There is none: the buildpack may name process types.
  if (text->err.starts_with(kTarLacks)) co_return Result<void>{};
  if (!text->status.ok()) {
    co_return fail(Code::kUnavailable, fmt::format("the Procfile can't be read (tar ended with {}): {}",
                                                   text->status.code, text->err));
  }
  auto types = parse_procfile(text->out);
  SKIFF_CO_RETURN_IF_ERROR(types);
  co_return Result<void>{};
}

// The config vars as files, as classic buildpacks read them; the app's buildpacks, one a line.
Result<void> Builder::write_input(const std::string& id, const Value& vars,
                                  const std::vector<std::string>& buildpacks) {
  const std::string folder = build_folder(id), env = folder + "/env";
  SKIFF_RETURN_IF_ERROR(io::make_directories(env));
  for (const auto& [name, value] : vars.members()) {
    SKIFF_RETURN_IF_ERROR(write_input_file(env + "/" + name, value.str()));
    SKIFF_RETURN_IF_ERROR(give_to_dyno(env + "/" + name));
  }
  SKIFF_RETURN_IF_ERROR(write_input_file(folder + "/buildpacks", buildpack_lines(buildpacks)));
  SKIFF_RETURN_IF_ERROR(give_to_dyno(folder + "/buildpacks"));
  SKIFF_RETURN_IF_ERROR(give_to_dyno(env));
  SKIFF_RETURN_IF_ERROR(give_to_dyno(folder + "/source.tar"));
  return give_to_dyno(folder);
}

io::Task<Result<void>> Builder::show_log(std::string log_path, BuildOutput& output, size_t& shown) {
  net::Request request;
  request.target = std::move(log_path);
  auto stream = co_await log_client_.open(std::move(request));
  SKIFF_CO_RETURN_IF_ERROR(stream);
  if ((*stream)->head().status >= kFirstError)
    co_return fail(Code::kUnavailable, "the build's log is not available");
  size_t known = shown;
  for (;;) {
    auto piece = co_await (*stream)->body().read_some();
    SKIFF_CO_RETURN_IF_ERROR(piece);
    if (piece->empty()) co_return Result<void>{};
    const size_t skipped = std::min(known, piece->size());
    known -= skipped;
    shown += piece->size() - skipped;
    output.write(std::string_view(*piece).substr(skipped));
  }
}

io::Task<void> Builder::keep_showing(Builder* self, std::string log_path, BuildOutput* output,
                                     size_t* shown) {
  for (;;) {
    auto followed = co_await self->show_log(log_path + "&follow=true", *output, *shown);
    if (followed) co_return;
    log_warn("build log broke off", {{"log", log_path}, {"error", followed.error().message}});
    co_await io::sleep(self->loop_, kLogPause);
  }
}

// Who follows a log learns of its container's end a while after the pod does.
io::Task<Result<Value>> Builder::see_to_end(PodWatch& watch, std::string log_path, BuildOutput& output) {
  size_t shown = 0;
  io::TaskScope follower(loop_);
  follower.spawn(keep_showing(this, log_path, &output, &shown));
  std::vector<std::string> ended = {"Succeeded", "Failed"};
  auto pod = co_await watch.reach(std::move(ended));
  follower.cancel();
  for (int i = 0; pod && i < kLogTries; ++i) {
    auto rest = co_await show_log(log_path, output, shown);
    if (rest) break;
    log_warn("the end of a build log is missing", {{"log", log_path}, {"error", rest.error().message}});
    co_await io::sleep(loop_, kLogPause);
  }
  co_return pod;
}

std::set<std::string> Builder::others_going(const std::string& app) const {
  std::set<std::string> ids;
  for (const auto& [other, id] : building_) {
    if (other != app) ids.insert(id);
  }
  return ids;
}

size_t Builder::count_going(const std::set<std::string>& ids) const {
  return static_cast<size_t>(
      std::ranges::count_if(building_, [&ids](const auto& build) { return ids.contains(build.second); }));
}

io::Task<Result<void>> Builder::run_with_layers(BuildFacts& facts, BuildOutput& output, PhaseClock& clock) {
  LayerPlan plan(recall_layers(options_.data, facts.app));
  for (int number = 1;; ++number) {
    facts.layers = plan.layers();
    facts.pod = pod_name(facts.id, number);
    auto next = co_await run_pod_of_plan(facts, plan, output, clock);
    SKIFF_CO_RETURN_IF_ERROR(next);
    if (*next == LayerPlan::Next::kBuilt) break;
    co_await remove_pod(facts.pod);
    clock.end("layers");
    auto emptied = co_await disks_.empty(facts.app);
    SKIFF_CO_RETURN_IF_ERROR(emptied);
  }
  facts.layers = plan.layers();
  auto remembered =
      co_await io::run_blocking(loop_, [data = options_.data, app = facts.app, layers = facts.layers] {
        return remember_layers(data, app, layers);
      });
  if (!remembered)
    log_warn("stack layers are not remembered", {{"app", facts.app}, {"error", remembered.error().message}});
  co_return Result<void>{};
}

io::Task<Result<LayerPlan::Next>> Builder::run_pod_of_plan(BuildFacts facts, LayerPlan& plan,
                                                           BuildOutput& output, PhaseClock& clock) {
  auto ran = co_await run_pod(facts, output, clock);
  if (!ran && ran.error().code == Code::kNotFound) co_return plan.on_missing(ran.error());
  SKIFF_CO_RETURN_IF_ERROR(ran);
  auto needed = read_layer_names(facts.disk.folder + "/out", "layers");
  SKIFF_CO_RETURN_IF_ERROR(needed);
  co_return plan.on_named(std::move(*needed));
}

io::Task<Result<void>> Builder::start_pod(BuildFacts facts, PodWatch& watch, BuildOutput& output) {
  PodStart start(loop_, api_, watch, kBuildsNamespace, facts.pod, facts.layers, output,
                 [this, earlier = facts.earlier] { return count_going(earlier); });
  auto started = co_await start.wait();
  co_return started;
}

io::Task<Result<void>> Builder::run_pod(BuildFacts facts, BuildOutput& output, PhaseClock& clock) {
  auto manifest = build_pod_manifest(facts, options_, host_proxies());
  auto created =
      co_await api_.create(fmt::format("/api/v1/namespaces/{}/pods", kBuildsNamespace), std::move(manifest));
  SKIFF_CO_RETURN_IF_ERROR(created);
  PodWatch watch(loop_, api_, kBuildsNamespace, facts.pod);
  auto started = co_await start_pod(facts, watch, output);
  clock.end("start");
  SKIFF_CO_RETURN_IF_ERROR(started);
  auto ending = see_to_end(watch, pod_path(kBuildsNamespace, facts.pod) + "/log?container=build", output);
  const Duration longest = std::chrono::seconds(facts.limits.seconds) + kPastDeadline;
  auto pod = co_await io::with_timeout(loop_, longest, std::move(ending));
  if (!pod) co_return fail(Code::kUnavailable, "wait for the build: " + pod.error().message);
  if ((*pod)["status"]["phase"].str() == "Succeeded") co_return Result<void>{};
  const bool full = output.told_of_full_disk() || is_full(facts.disk);
  co_return fail(Code::kInvalidArgument, explain_failure(*pod, facts, full));
}

}  // namespace skiff::platform
