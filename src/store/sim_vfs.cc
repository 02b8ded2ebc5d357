#include "store/sim_vfs.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/random.h"

namespace skiff::store {

namespace {
constexpr size_t kSector = 512;  // what a disk writes whole
}

struct SimVfs::State {
  struct Change {
    std::optional<size_t> truncate;
    size_t offset = 0;
    std::string data;
  };
  struct File {
    bool log = false;    // a -wal file
    std::string seen;    // what the running machine reads
    std::string synced;  // what is surely on the disk
    std::vector<Change> unsynced;
  };

  explicit State(uint64_t seed) : random(seed), name(fmt::format("sim-{}", static_cast<void*>(this))) {}

  // False when the machine has stopped.
  bool alive_for_change() {
    if (crashed) return false;
    ++operations;
    if (fill_in && (*fill_in)-- == 0) {
      full = true;
      fill_in.reset();
    }
    if (crash_in && (*crash_in)-- == 0) crashed = true;
    return !crashed;
  }

  SeededRandom random;
  std::string name;
  std::map<std::string, File> files;
  std::optional<size_t> crash_in;
  bool crashed = false;
  std::optional<size_t> fill_in;
  bool full = false;
  Lie lie = Lie::kNone;
  size_t operations = 0;
  sqlite3_vfs vfs{};
  sqlite3_io_methods methods{};
};

namespace {

using State = SimVfs::State;

struct Handle {
  sqlite3_file base;
  State* state;
  State::File* file;
};

Handle& handle(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file);
}
State& state_of(sqlite3_vfs* vfs) {
  return *static_cast<State*>(vfs->pAppData);
}

void apply_change(std::string& content, const State::Change& change) {
  if (change.truncate) {
    content.resize(*change.truncate);
    return;
  }
  content.resize(std::max(content.size(), change.offset + change.data.size()));
  content.replace(change.offset, change.data.size(), change.data);
}

int change(sqlite3_file* file, State::Change what) {
  Handle& h = handle(file);
  if (h.state->crashed) return SQLITE_IOERR_WRITE;
  const bool alive = h.state->alive_for_change();
  if (alive && h.state->full && !what.truncate) return SQLITE_FULL;
  // The one at which the machine stops may still reach the disk.
  if (alive) apply_change(h.file->seen, what);
  h.file->unsynced.push_back(std::move(what));
  return alive ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  const std::string& content = handle(file).file->seen;
  const size_t from = std::min(content.size(), static_cast<size_t>(offset));
  const size_t count = std::min(content.size() - from, static_cast<size_t>(amount));
  std::memcpy(out, content.data() + from, count);
  std::memset(static_cast<char*>(out) + count, 0, static_cast<size_t>(amount) - count);
  return count == static_cast<size_t>(amount) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
  return change(file, {std::nullopt, static_cast<size_t>(offset),
                       std::string(static_cast<const char*>(data), static_cast<size_t>(amount))});
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return change(file, {static_cast<size_t>(size), 0, {}});
}

bool lies(SimVfs::Lie lie, bool log) {
  using Lie = SimVfs::Lie;
  return lie == Lie::kAllSyncs || lie == (log ? Lie::kLogSyncs : Lie::kFileSyncs);
}

int sync(sqlite3_file* file, int) {
  Handle& h = handle(file);
  if (!h.state->alive_for_change()) return SQLITE_IOERR_FSYNC;
  if (lies(h.state->lie, h.file->log)) return SQLITE_OK;
  h.file->synced = h.file->seen;
  h.file->unsynced.clear();
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(handle(file).file->seen.size());
  return SQLITE_OK;
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  State& state = state_of(vfs);
  Handle& h = handle(file);
  h.base.pMethods = nullptr;
  if (!name || (!(flags & SQLITE_OPEN_CREATE) && !state.files.contains(name))) return SQLITE_CANTOPEN;
  h.state = &state;
  h.file = &state.files[name];
  h.file->log = std::string_view(name).ends_with("-wal");
  h.base.pMethods = &state.methods;
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

// The file stays in the map, empty, so that a crash can undo it: SQLite takes an empty log for none.
int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  State& state = state_of(vfs);
  const auto found = state.files.find(name);
  if (found == state.files.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (state.crashed) return SQLITE_IOERR_DELETE;
  const bool alive = state.alive_for_change();
  if (alive) found->second.seen.clear();
  found->second.unsynced.push_back({size_t{0}, 0, {}});
  if (alive && sync_folder && state.lie != SimVfs::Lie::kAllSyncs) {
    found->second.synced.clear();
    found->second.unsynced.clear();
  }
  return alive ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

int access(sqlite3_vfs* vfs, const char* name, int, int* result) {
  const auto& files = state_of(vfs).files;
  const auto found = files.find(name);
  *result = found != files.end() && !found->second.seen.empty();
  return SQLITE_OK;
}

void fill_methods(sqlite3_io_methods& m) {
  m.iVersion = 1;
  m.xClose = [](sqlite3_file*) { return SQLITE_OK; };
  m.xRead = read;
  m.xWrite = write;
  m.xTruncate = truncate;
  m.xSync = sync;
  m.xFileSize = file_size;
  m.xLock = [](sqlite3_file*, int) { return SQLITE_OK; };
  m.xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; };
  m.xCheckReservedLock = [](sqlite3_file*, int* out) {
    *out = 0;
    return SQLITE_OK;
  };
  m.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
  m.xSectorSize = [](sqlite3_file*) { return static_cast<int>(kSector); };
  m.xDeviceCharacteristics = [](sqlite3_file*) { return 0; };
}

void fill_vfs(sqlite3_vfs& v) {
  v.iVersion = 1;
  v.szOsFile = sizeof(Handle);
  v.mxPathname = 256;
  v.xOpen = open;
  v.xDelete = remove;
  v.xAccess = access;
  v.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  };
  v.xRandomness = [](sqlite3_vfs* vfs, int size, char* out) {
    for (int i = 0; i < size; ++i) out[i] = static_cast<char>(state_of(vfs).random.next());
    return size;
  };
  v.xSleep = [](sqlite3_vfs*, int microseconds) { return microseconds; };
  v.xCurrentTime = [](sqlite3_vfs*, double* now) {
    *now = 2461041.5;
    return SQLITE_OK;
  };
}

// Kept, lost, or torn at a sector.
void survive(std::string& content, State::Change changed, Random& random) {
  const uint64_t fate = random.below(3);
  if (fate == 0) return;
  if (fate == 1 && !changed.truncate)
    changed.data.resize(random.below(changed.data.size() / kSector + 1) * kSector);
  if (changed.truncate || !changed.data.empty()) apply_change(content, changed);
}

}  // namespace

SimVfs::SimVfs(uint64_t seed) : state_(std::make_unique<State>(seed)) {
  fill_methods(state_->methods);
  fill_vfs(state_->vfs);
  state_->vfs.zName = state_->name.c_str();
  state_->vfs.pAppData = state_.get();
  SKIFF_CHECK(sqlite3_vfs_register(&state_->vfs, 0) == SQLITE_OK);
}

SimVfs::~SimVfs() {
  sqlite3_vfs_unregister(&state_->vfs);
}

const char* SimVfs::name() const {
  return state_->name.c_str();
}
void SimVfs::crash_at(size_t operation) {
  state_->crash_in = operation;
}
void SimVfs::fill_at(size_t operation) {
  state_->fill_in = operation;
}
void SimVfs::make_room() {
  state_->full = false;
  state_->fill_in.reset();
}
void SimVfs::set_lie(Lie lie) {
  state_->lie = lie;
}
bool SimVfs::crashed() const {
  return state_->crashed;
}
size_t SimVfs::operations() const {
  return state_->operations;
}

void SimVfs::restart() {
  for (auto& [name, file] : state_->files) {
    for (const auto& changed : file.unsynced) survive(file.synced, changed, state_->random);
    file.unsynced.clear();
    file.seen = file.synced;
  }
  state_->crashed = false;
  state_->crash_in.reset();
}

}  // namespace skiff::store
