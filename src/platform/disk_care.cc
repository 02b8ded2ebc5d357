#include "platform/disk_care.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "base/log.h"
#include "io/durable.h"
#include "io/file.h"
#include "io/folder_stream.h"
#include "io/sync.h"
#include "platform/apps/procfile.h"
#include "platform/images/layout_writer.h"

namespace skiff::platform {

namespace {

constexpr Duration kSweepEvery = std::chrono::hours(1);
constexpr Duration kGrace = std::chrono::minutes(10);  // for an app that is being made

struct Kind {
  std::string folder;
  const char* ending;  // of the names there, after the app's
};
// Builds keep these (builds/disk.h, builds/stack_layers.h, resources/build_records.h).
std::vector<Kind> build_kinds(const DiskPlaces& places) {
  return {{places.data + "/cache", ".img"},
          {places.data + "/cache", ".plain"},
          {places.data + "/cache", ".layers"},
          {places.data + "/build-output", ""}};
}
std::vector<Kind> work_kinds(const DiskPlaces& places) {
  auto all = build_kinds(places);
  all.push_back({places.data + "/git", ".git"});
  return all;
}
std::vector<Kind> kinds(const DiskPlaces& places) {
  auto all = work_kinds(places);
  all.push_back({places.images, ""});
  return all;
}

bool changed_before(const std::string& path, WallTime before) {
  const auto facts = io::entry_facts(AT_FDCWD, path.c_str());
  return facts && facts->modified < before;
}

}  // namespace

std::set<std::string> find_garbage(const DiskPlaces& places, const std::set<std::string>& known,
                                   WallTime before) {
  std::set<std::string> out;
  for (const auto& kind : kinds(places)) {
    const std::string ending = kind.ending;
    for (const auto& name : io::list_directory(kind.folder).value_or(std::vector<std::string>{})) {
      if (!name.ends_with(ending)) continue;
      const std::string app = name.substr(0, name.size() - ending.size());
      // The stack's layout, and whatever else is no app's.
      if (known.contains(app) || !check_app_name(app)) continue;
      if (kind.folder == places.images && !io::path_exists(kind.folder + "/" + name + kAppMark)) continue;
      if (changed_before(kind.folder + "/" + name, before)) out.insert(app);
    }
  }
  return out;
}

Result<void> remove_app_files(const DiskPlaces& places, const std::string& app) {
  SKIFF_RETURN_IF_ERROR(remove_work_files(places, app));
  return remove_app_images(places.images, app);
}

static Result<void> remove_kinds(const std::vector<Kind>& kinds, const std::string& app) {
  SKIFF_RETURN_IF_ERROR(check_app_name(app));
  for (const auto& kind : kinds)
    SKIFF_RETURN_IF_ERROR(io::remove_tree(kind.folder + "/" + app + kind.ending));
  return {};
}

Result<void> remove_work_files(const DiskPlaces& places, const std::string& app) {
  return remove_kinds(work_kinds(places), app);
}

Result<void> remove_build_files(const DiskPlaces& places, const std::string& app) {
  return remove_kinds(build_kinds(places), app);
}

Result<void> rename_work_files(const DiskPlaces& places, const std::string& from, const std::string& to) {
  SKIFF_RETURN_IF_ERROR(check_app_name(from));
  SKIFF_RETURN_IF_ERROR(check_app_name(to));
  for (const auto& kind : work_kinds(places)) {
    const std::string one = kind.folder + "/" + from + kind.ending;
    const std::string other = kind.folder + "/" + to + kind.ending;
    if (io::path_exists(one)) {
      if (io::path_exists(other)) {
        SKIFF_RETURN_IF_ERROR(io::remove_tree(one));  // made again by one who came too late
      } else if (::rename(one.c_str(), other.c_str()) != 0) {
        return fail_errno(errno, "rename " + one);
      }
    }
    // Also when a platform before this one moved it: what it did not sync may be undone by a power cut.
    if (io::path_exists(kind.folder)) SKIFF_RETURN_IF_ERROR(io::sync_path(kind.folder));
  }
  return {};
}

void sweep_unpublished_files(const DiskPlaces& places) {
  for (const auto& parent : {places.images, places.data + "/build-output"}) {
    for (const auto& name : io::list_directory(parent).value_or(std::vector<std::string>{})) {
      io::sweep_unpublished(parent + "/" + name);
      io::sweep_unpublished(parent + "/" + name + "/blobs/sha256");
    }
  }
}

io::Task<Result<void>> DiskCare::sweep() {
  co_await io::run_blocking(loop_, [places = places_] {
    sweep_unpublished_files(places);
    return Result<void>();
  });
  const WallTime before = loop_.wall_now() - kGrace;
  auto apps = co_await apps_.list();
  SKIFF_CO_RETURN_IF_ERROR(apps);
  std::set<std::string> known;
  for (const auto& app : *apps) known.insert(app["metadata"]["name"].str());
  auto garbage = co_await io::run_blocking(
      loop_, [places = places_, known, before] { return find_garbage(places, known, before); });
  for (const auto& app : garbage) {
    auto space = co_await api_.get("/api/v1/namespaces/" + app);
    if (space || space.error().code != Code::kNotFound) continue;
    auto removed =
        co_await io::run_blocking(loop_, [places = places_, app] { return remove_app_files(places, app); });
    SKIFF_CO_RETURN_IF_ERROR(removed);
    log_info("files of a destroyed app removed", {{"app", app}});
  }
  co_return Result<void>{};
}

io::Task<void> DiskCare::run(DiskCare* self) {
  for (;;) {
    auto swept = co_await self->sweep();
    if (!swept) log_warn("files of destroyed apps stay", {{"error", swept.error().message}});
    co_await io::sleep(self->loop_, kSweepEvery);
  }
}

}  // namespace skiff::platform
