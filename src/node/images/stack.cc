#include "node/images/stack.h"

#include <fmt/core.h>

#include <cstdlib>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/process.h"
#include "io/sync.h"
#include "node/digest.h"
#include "node/images/layer_store.h"
#include "node/images/layout.h"
#include "node/images/layout_write.h"
#include "node/images/shared_tree.h"
#include "node/images/stack_cache.h"
#include "node/images/stack_step.h"
#include "node/images/unpack.h"

namespace skiff::node {

namespace {

constexpr const char* kRunPackages =
    "bash,ca-certificates,coreutils,curl,gzip,libssl3,libstdc++6,netbase,nginx,procps,tar,tzdata,xz-utils";
constexpr const char* kBuildPackages =
    "build-essential bzip2 clang cmake file git gnupg jq libssl-dev lsb-release ninja-build openssl patch "
    "pkg-config "
    "python3 python3-yaml rsync unzip wget xz-utils zip zlib1g-dev zstd";
constexpr const char* kOtherChanges =
    "sources in one list";  // what the texts around do not show of a new recipe
// Apps and builds run as this user, never as root; the platform's manifests name the same number. It lies
// above the numbers that Debian gives to people and services.
constexpr const char* kAddUser =
    "chroot \"$1\" useradd --uid 70000 --home-dir /app --no-create-home --shell /bin/bash dyno";
constexpr Duration kLimit = std::chrono::minutes(10);         // of either step, on a slow mirror
constexpr Duration kWaitForLayout = std::chrono::minutes(1);  // while another process changes tags

// mmdebstrap leaves its root in /tmp when it is killed. Its /tmp is a folder of the work folder's, which goes
// with that; the archive may lie in the real one, so it is opened before.
constexpr const char* kBootstrapScript = R"sh(
exec 3>"$1/run.tar" && cd / && mkdir -m 1777 "$1/tmp" && mount --bind "$1/tmp" /tmp && shift && exec "$@" >&3
)sh";

// Mounts live in a namespace of their own: they end with the script, however it ends.
constexpr const char* kBuildScript = R"sh(set -e
cd "$1"
mkdir -p upper work merged
mount --make-rprivate /
mount -t overlay overlay -o lowerdir=run,upperdir=upper,workdir=work merged
mount -t proc proc merged/proc
mount --rbind /dev merged/dev
mount --rbind /sys merged/sys
rm -f merged/etc/resolv.conf
cp -L /etc/resolv.conf merged/etc/resolv.conf
printf '#!/bin/sh\nexit 101\n' > merged/usr/sbin/policy-rc.d
chmod 755 merged/usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# Builds ask what apps will find when they run.
cp merged/var/lib/dpkg/status merged/var/lib/dpkg/status-run
mkdir -p merged/usr/share/skiff
ls merged/usr/local/sbin merged/usr/local/bin merged/usr/sbin merged/usr/bin > merged/usr/share/skiff/run-programs
chroot merged apt-get -q update
chroot merged apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io install $2
rm -rf merged/var/cache/apt/archives/*.deb merged/var/cache/apt/*.bin merged/usr/sbin/policy-rc.d merged/var/log/*
cd upper
find . -type c | while read -r gone; do
  [ "$(stat -c %t:%T "$gone")" = 0:0 ] || continue
  rm "$gone"
  : > "$(dirname "$gone")/.wh.$(basename "$gone")"
done
tar --numeric-owner -cf ../build.tar .
)sh";

std::string recipe() {
  return sha256_hex(std::string(kRunPackages) + "|" + kOtherChanges + "|" + kBuildPackages + "|" +
                    kBuildScript + "|" + kAddUser);
}

std::string stack_folder(const StackOptions& options) {
  return options.local_images + "/stack";
}

ImageConfig stack_config() {
  ImageConfig out;
  out.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
  out.cmd = {"/bin/bash"};
  return out;
}

std::string read_all_files(const std::string& folder, std::string_view suffix) {
  std::string out;
  for (const auto& name : io::list_directory(folder).value_or(std::vector<std::string>{})) {
    if (name.ends_with(suffix)) out += io::read_file(folder + "/" + name).value_or("") + "\n\n";
  }
  return out;
}

std::string codename() {
  for (const auto& line : split(io::read_file("/etc/os-release").value_or(""), '\n')) {
    if (line.starts_with("VERSION_CODENAME=")) return replace_all(line.substr(17), "\"", "");
  }
  return "bookworm";
}

std::vector<std::string> mmdebstrap_command(const StackOptions& options, const std::string& apt_config) {
  const std::string release = codename();
  std::vector<std::string> argv = {options.mmdebstrap,
                                   "--variant=minbase",
                                   "--mode=root",
                                   "--format=tar",
                                   std::string("--include=") + kRunPackages,
                                   "--dpkgopt=path-exclude=/usr/share/man/*",
                                   "--dpkgopt=path-exclude=/usr/share/doc/*",
                                   "--dpkgopt=path-exclude=/usr/share/info/*",
                                   "--dpkgopt=path-exclude=/usr/share/locale/*",
                                   "--dpkgopt=force-unsafe-io",
                                   "--aptopt=Acquire::Languages \"none\"",
                                   "--aptopt=APT::Install-Recommends \"false\""};
  argv.push_back(std::string("--customize-hook=") + kAddUser);
  for (auto& option : proxy_options(apt_config)) argv.push_back(std::move(option));
  // What the host trusts, its containers trust: a company's proxy signs with its own authority.
  if (io::path_exists("/usr/local/share/ca-certificates")) {
    argv.push_back("--customize-hook=copy-in /usr/local/share/ca-certificates /usr/local/share");
    argv.push_back("--customize-hook=chroot \"$1\" update-ca-certificates");
  }
  if (io::path_exists("/etc/ssl/certs/ca-certificates.crt")) {
    argv.push_back(
        "--customize-hook=upload /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt");
  }
  argv.push_back(release);
  argv.push_back("-");
  return argv;
}

// What mmdebstrap is given line by line becomes the target's /etc/apt/sources.list.
std::vector<std::string> host_sources() {
  const auto sources = pick_sources(io::read_file("/etc/apt/sources.list").value_or("") +
                                        read_all_files("/etc/apt/sources.list.d", ".list"),
                                    read_all_files("/etc/apt/sources.list.d", ".sources"), codename());
  return split(trim(sources), '\n');
}

Result<void> prepare_build(const StackOptions& options, const std::string& run_blob) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(options.work + "/run", 0755));
  SKIFF_RETURN_IF_ERROR(unpack_layer(run_blob, Compression::kNone, options.work + "/run"));
  return io::write_file_atomic(options.work + "/build.sh", kBuildScript, 0700);
}

io::Task<Result<void>> make_images(io::Loop& loop, const StackOptions* options) {
  auto made = io::make_directories(options->work);
  if (!made) co_return made;
  const std::vector<std::string> dump = {"apt-config", "dump"};
  auto apt = co_await io::run_command(loop, dump);
  auto argv = mmdebstrap_command(*options, apt ? apt->out : "");
  for (auto& line : host_sources()) argv.push_back(std::move(line));
  argv.insert(argv.begin(), {"sh", "-c", kBootstrapScript, "sh", options->work});
  argv = in_namespaces(options->unshare, std::move(argv));
  auto bootstrapped = co_await run_stack_step(loop, argv, options->progress, kLimit);
  if (!bootstrapped) co_return wrap(bootstrapped.error(), "make the stack's run image");
  const std::string folder = stack_folder(*options);
  auto run = co_await io::run_blocking(loop, [folder, tar = options->work + "/run.tar"] {
    return write_layout(folder, "run", stack_config(), {{tar, ""}});
  });
  if (!run) co_return std::unexpected(run.error());
  auto prepared = co_await io::run_blocking(
      loop, [copy = *options, blob = blob_path(folder, run->front())] { return prepare_build(copy, blob); });
  if (!prepared) co_return prepared;
  auto build =
      in_namespaces(options->unshare, {"sh", options->work + "/build.sh", options->work, kBuildPackages});
  auto built = co_await run_stack_step(loop, build, options->progress, kLimit);
  if (!built) co_return wrap(built.error(), "make the stack's build image");
  auto kept =
      co_await io::run_blocking(loop, [folder, digest = run->front(), tar = options->work + "/build.tar"] {
        return write_layout(folder, "build", stack_config(), {{"", digest}, {tar, ""}});
      });
  if (!kept) co_return std::unexpected(kept.error());
  co_return io::write_file_atomic(folder + "/recipe", recipe(), 0644);
}

}  // namespace

bool stack_ready(const StackOptions& options) {
  const std::string folder = stack_folder(options);
  if (io::read_file(folder + "/recipe").value_or("") != recipe() || !read_layout(folder, "run")) return false;
  const auto image = read_layout(folder, "build");
  return image && has_blobs(folder, *image);
}

io::Task<void> remove_stack_leftovers(io::Loop& loop, StackOptions options) {
  auto removed = co_await io::run_blocking(loop, [options] {
    remove_partial_copies(stack_folder(options));
    auto images = io::remove_tree(options.work + ".images");
    auto work = io::remove_tree(options.work);
    return images ? work : images;
  });
  if (!removed) log_warn("leftovers of the stack images stay", {{"error", removed.error().message}});
}

static void say(const StackOptions& options, const std::string& line) {
  if (options.progress) options.progress(line);
}

static io::Task<Result<void>> make_in_work(io::Loop& loop, const StackOptions* options) {
  auto cleaned = io::remove_tree(options->work);
  if (!cleaned) co_return cleaned;
  auto made = co_await make_images(loop, options);
  auto removed = co_await io::run_blocking(loop, [work = options->work] { return io::remove_tree(work); });
  if (!made) co_return made;
  co_return removed;
}

// The layout is replaced in one step, with what an older recipe left in it.
static io::Task<Result<void>> replace_layout(io::Loop& loop, std::string folder,
                                             std::function<Result<void>(const std::string& target)> put) {
  auto made = io::make_directories(folder.substr(0, folder.rfind('/')));
  if (!made) co_return made;
  auto lock = co_await wait_for_lock(loop, StackLayout(folder).lock_path(), kWaitForLayout);
  if (!lock) co_return std::unexpected(lock.error());
  co_return co_await io::run_blocking(loop, [put = std::move(put), folder] { return put(folder); });
}

static io::Task<Result<void>> make_and_replace(io::Loop& loop, const StackOptions* options) {
  StackOptions beside = *options;
  beside.local_images = options->work + ".images";
  auto cleaned =
      co_await io::run_blocking(loop, [images = beside.local_images] { return io::remove_tree(images); });
  if (!cleaned) co_return cleaned;
  auto made = co_await make_in_work(loop, &beside);
  if (made) {
    made = co_await replace_layout(
        loop, stack_folder(*options),
        [fresh = stack_folder(beside)](const std::string& folder) { return put_copy(fresh, folder); });
  }
  auto removed =
      co_await io::run_blocking(loop, [images = beside.local_images] { return io::remove_tree(images); });
  co_return made ? removed : made;
}

io::Task<Result<void>> make_stack(io::Loop& loop, StackOptions options) {
  auto made = co_await make_in_work(loop, &options);
  co_return made;
}

std::string stack_recipe() {
  return recipe();
}

std::vector<std::string> stack_sources() {
  return host_sources();
}

// A cache that can't be used costs time, not the start.
static io::Task<void> keep_in_cache(io::Loop& loop, StackCache cache, std::string folder) {
  auto kept = co_await io::run_blocking(loop, [cache, folder] { return cache.keep(folder); });
  if (!kept) log_warn("the stack images are not kept for other instances", {{"error", kept.error().message}});
}

io::Task<Result<void>> build_stack(io::Loop& loop, StackOptions options) {
  if (stack_ready(options)) co_return Result<void>();
  const MonotonicTime began = loop.now();
  const auto seconds = [&] { return std::chrono::duration<double>(loop.now() - began).count(); };
  const std::string folder = stack_folder(options);
  if (options.cache.empty()) {
    auto made = co_await make_and_replace(loop, &options);
    if (made) say(options, fmt::format("stack images made in {:.0f} s", seconds()));
    co_return made;
  }
  const StackCache cache(options.cache, recipe());
  auto lock = co_await cache.lock(loop);
  if (!lock) co_return std::unexpected(lock.error());
  auto copied = co_await replace_layout(loop, folder,
                                        [cache](const std::string& target) { return cache.copy_to(target); });
  if (copied && stack_ready(options)) {
    say(options, fmt::format("stack images taken from {} in {:.1f} s", options.cache, seconds()));
    co_return Result<void>();
  }
  auto made = co_await make_and_replace(loop, &options);
  if (!made) co_return made;
  co_await keep_in_cache(loop, cache, folder);
  say(options,
      fmt::format("stack images made in {:.0f} s, kept for other instances in {}", seconds(), options.cache));
  co_return Result<void>();
}

}  // namespace skiff::node
