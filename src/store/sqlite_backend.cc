#include "store/sqlite_backend.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/file.h"
#include "store/sqlite_database.h"

namespace skiff::store {

namespace {

constexpr int64_t kApplicationId = 0x536b6966;  // "Skif", in the file's header
constexpr int64_t kFormat = 1;                  // of the tables below
constexpr int kShrinkPages = 256;               // given back in one go: 1 MiB, a few milliseconds
// Settings that hold for a connection. The exclusive lock spares the shared-memory file and keeps others out.
// EXTRA also syncs the folder when the rollback journal of the first transaction, before there is a WAL, is
// deleted: else a power loss could bring that journal back, and with it the empty file of the beginning.
// Memory is the index, so SQLite's own cache (in KiB) only has to hold the pages of one commit.
constexpr const char* kConnectionSettings =
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=EXTRA; PRAGMA auto_vacuum=INCREMENTAL;"
    "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864; PRAGMA cell_size_check=ON;"
    "PRAGMA cache_size=-256;";
constexpr const char* kTables =
    "CREATE TABLE version(revision INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL,"
    " removed INTEGER NOT NULL, value BLOB NOT NULL, checksum INTEGER NOT NULL);"
    "CREATE TABLE progress(id INTEGER PRIMARY KEY CHECK(id=1), compacted INTEGER NOT NULL);"
    "INSERT INTO progress VALUES(1, 0);";

// FNV-1a over everything a row says.
class Checksum {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  void add(int64_t value) { add(std::string_view(reinterpret_cast<const char*>(&value), sizeof(value))); }
  int64_t value() const { return static_cast<int64_t>(state_); }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

int64_t checksum_of(const Record& record) {
  Checksum sum;
  sum.add(number(record.modified));
  sum.add(number(record.created));
  sum.add(record.removed ? 1 : 0);
  sum.add(static_cast<int64_t>(record.key.size()));
  sum.add(record.key);
  sum.add(*record.value);
  return sum.value();
}

class SqliteBackend final : public Backend {
 public:
  explicit SqliteBackend(std::unique_ptr<SqliteDatabase> db) : db_(std::move(db)) {}

  Result<void> prepare(const SqliteOptions& options);
  Result<Loaded> load() override;
  Result<void> append(const std::vector<Record>& batch) override;
  Result<void> mark_compacted(Revision revision) override;
  Result<void> erase(const std::vector<Revision>& revisions) override;
  Result<void> shrink() override;

 private:
  Result<void> check_format();
  Result<void> create_tables();
  Result<void> insert(const Record& record);
  Result<Record> read_row(const Statement& select) const;
  // All of `body` or none of it.
  template <typename Body>
  Result<void> transact(Body body);

  std::unique_ptr<SqliteDatabase> db_;
  Statement begin_, commit_, insert_, erase_, mark_;
};

Result<void> SqliteBackend::prepare(const SqliteOptions& options) {
  SKIFF_RETURN_IF_ERROR(db_->exec(kConnectionSettings));
  if (options.max_pages > 0) {
    SKIFF_RETURN_IF_ERROR(db_->exec(fmt::format("PRAGMA max_page_count={}", options.max_pages)));
  }
  SKIFF_RETURN_IF_ERROR(check_format());
  const std::pair<Statement*, const char*> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&insert_, "INSERT INTO version VALUES(?1, ?2, ?3, ?4, ?5, ?6)"},
      {&erase_, "DELETE FROM version WHERE revision=?1"},
      {&mark_, "UPDATE progress SET compacted=max(compacted, ?1)"},
  };
  for (const auto& [target, sql] : statements) {
    auto statement = db_->prepare(sql);
    if (!statement) return std::unexpected(std::move(statement).error());
    *target = std::move(*statement);
  }
  return {};
}

Result<void> SqliteBackend::check_format() {
  auto id = db_->query_number("PRAGMA application_id");
  if (!id) return std::unexpected(std::move(id).error());
  auto format = db_->query_number("PRAGMA user_version");
  if (!format) return std::unexpected(std::move(format).error());
  auto tables = db_->query_number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return std::unexpected(std::move(tables).error());
  if (*id == 0 && *format == 0 && *tables == 0) return create_tables();
  if (*id != kApplicationId) {
    return fail(Code::kDataLoss,
                fmt::format("{} is not a Skiff store: give another data directory, or move the file away",
                            db_->path()));
  }
  if (*format != kFormat) {
    return fail(
        Code::kUnimplemented,
        fmt::format("{} has format {} and this Skiff knows {}: start it with the version that wrote it",
                    db_->path(), *format, kFormat));
  }
  auto check = db_->query_text("PRAGMA quick_check(1)");
  if (!check) return std::unexpected(std::move(check).error());
  if (*check != "ok") {
    return fail(
        Code::kDataLoss,
        fmt::format(
            "{} is damaged ({}): restore this file from a backup, or move it and its -wal file away to "
            "begin empty",
            db_->path(), *check));
  }
  return {};
}

template <typename Body>
Result<void> SqliteBackend::transact(Body body) {
  SKIFF_RETURN_IF_ERROR(db_->run(begin_));
  Result<void> result = body();
  if (result) result = db_->run(commit_);
  if (!result) db_->rollback();
  return result;
}

Result<void> SqliteBackend::create_tables() {
  auto made =
      db_->exec(fmt::format("BEGIN IMMEDIATE;{}PRAGMA application_id={};PRAGMA user_version={};COMMIT",
                            kTables, kApplicationId, kFormat));
  if (!made) db_->rollback();
  return made;
}

Result<Record> SqliteBackend::read_row(const Statement& select) const {
  sqlite3_stmt* row = select.get();
  const auto bytes = [row](int column) {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(row, column));
    return std::string(data ? data : "", data ? static_cast<size_t>(sqlite3_column_bytes(row, column)) : 0);
  };
  Record record;
  record.modified = Revision{sqlite3_column_int64(row, 0)};
  record.key = bytes(1);
  record.created = Revision{sqlite3_column_int64(row, 2)};
  record.removed = sqlite3_column_int(row, 3) != 0;
  record.value = std::make_shared<const std::string>(bytes(4));
  if (checksum_of(record) != sqlite3_column_int64(row, 5)) {
    return fail(
        Code::kDataLoss,
        fmt::format(
            "{} is damaged (revision {} of {} has a wrong checksum): restore this file from a backup, "
            "or move it and its -wal file away to begin empty",
            db_->path(), number(record.modified), record.key));
  }
  return record;
}

Result<Loaded> SqliteBackend::load() {
  auto compacted = db_->query_number("SELECT compacted FROM progress");
  if (!compacted) return std::unexpected(std::move(compacted).error());
  Loaded loaded;
  loaded.compacted = Revision{*compacted};
  auto select =
      db_->prepare("SELECT revision, key, created, removed, value, checksum FROM version ORDER BY revision");
  if (!select) return std::unexpected(std::move(select).error());
  for (;;) {
    auto row = db_->step(*select);
    if (!row) return std::unexpected(std::move(row).error());
    if (!*row) return loaded;
    auto record = read_row(*select);
    if (!record) return std::unexpected(std::move(record).error());
    loaded.records.push_back(std::move(*record));
  }
}

Result<void> SqliteBackend::insert(const Record& record) {
  sqlite3_stmt* row = insert_.get();
  sqlite3_bind_int64(row, 1, number(record.modified));
  sqlite3_bind_text(row, 2, record.key.data(), static_cast<int>(record.key.size()), SQLITE_STATIC);
  sqlite3_bind_int64(row, 3, number(record.created));
  sqlite3_bind_int(row, 4, record.removed ? 1 : 0);
  sqlite3_bind_blob(row, 5, record.value->data(), static_cast<int>(record.value->size()), SQLITE_STATIC);
  sqlite3_bind_int64(row, 6, checksum_of(record));
  return db_->run(insert_);
}

Result<void> SqliteBackend::append(const std::vector<Record>& batch) {
  return transact([&]() -> Result<void> {
    for (const Record& record : batch) SKIFF_RETURN_IF_ERROR(insert(record));
    return {};
  });
}

Result<void> SqliteBackend::mark_compacted(Revision revision) {
  sqlite3_bind_int64(mark_.get(), 1, number(revision));
  return transact([&] { return db_->run(mark_); });
}

Result<void> SqliteBackend::erase(const std::vector<Revision>& revisions) {
  return transact([&]() -> Result<void> {
    for (const Revision revision : revisions) {
      sqlite3_bind_int64(erase_.get(), 1, number(revision));
      SKIFF_RETURN_IF_ERROR(db_->run(erase_));
    }
    return {};
  });
}

Result<void> SqliteBackend::shrink() {
  return db_->exec(fmt::format("PRAGMA incremental_vacuum({})", kShrinkPages));
}

// SQLite would create it with the process's umask; its -wal file takes the mode of this one.
Result<void> create_private(const std::string& path) {
  const bool existed = io::path_exists(path);
  io::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(errno, "open " + path);
  if (::fchmod(fd.get(), 0600) != 0) return fail_errno(errno, "chmod " + path);
  if (existed) return {};
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  io::UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return fail_errno(errno, "sync " + folder);
  return {};
}

}  // namespace

Result<std::unique_ptr<Backend>> open_sqlite_backend(const std::string& path, const SqliteOptions& options) {
  if (!options.vfs) SKIFF_RETURN_IF_ERROR(create_private(path));
  auto db = SqliteDatabase::open(path, options.vfs);
  if (!db) return std::unexpected(std::move(db).error());
  auto backend = std::make_unique<SqliteBackend>(std::move(*db));
  SKIFF_RETURN_IF_ERROR(backend->prepare(options));
  return backend;
}

}  // namespace skiff::store
