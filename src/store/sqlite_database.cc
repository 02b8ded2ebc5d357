#include "store/sqlite_database.h"

#include <fmt/core.h>

#include <cerrno>

namespace skiff::store {

namespace {
bool is_full(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT;
}
}  // namespace

std::unexpected<Error> SqliteDatabase::fail_full() const {
  return fail(Code::kResourceExhausted, fmt::format("no space left for {}: free some disk space", path_));
}

std::unexpected<Error> SqliteDatabase::fail_here(int code) const {
  const std::string why = db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return fail_full();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(
          Code::kDataLoss,
          fmt::format("{} is damaged ({}): stop Skiff, then restore this file from a backup, or move it and "
                      "its -wal file away to begin empty",
                      path_, why));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(Code::kUnavailable,
                  fmt::format("{} is in use by another process: stop that one first", path_));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return fail(Code::kForbidden,
                  fmt::format("{} cannot be opened for writing ({}): check its owner and mode", path_, why));
    case SQLITE_IOERR:
      if (db_ && is_full(sqlite3_system_errno(db_.get()))) return fail_full();
      return fail(Code::kUnavailable,
                  fmt::format("{}: {} (code {}, errno {}): check the disk and the kernel log", path_, why,
                              code, db_ ? sqlite3_system_errno(db_.get()) : 0));
    default:
      return fail(Code::kInternal, fmt::format("{}: {} (code {})", path_, why, code));
  }
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path, const char* vfs) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path));
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs);
  database->db_.reset(db);
  if (code != SQLITE_OK) return database->fail_here(code);
  sqlite3_extended_result_codes(db, 1);
  return database;
}

Result<void> SqliteDatabase::exec(const std::string& sql) {
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail_here(code);
  return {};
}

Result<Statement> SqliteDatabase::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fail_here(code);
  return Statement(statement);
}

Result<bool> SqliteDatabase::step(const Statement& statement) {
  const int code = sqlite3_step(statement.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto failed = fail_here(code);
  sqlite3_reset(statement.get());
  return failed;
}

Result<void> SqliteDatabase::run(const Statement& statement) {
  for (;;) {
    auto row = step(statement);
    if (!row) return std::unexpected(std::move(row).error());
    if (!*row) break;
  }
  sqlite3_reset(statement.get());
  return {};
}

Result<std::string> SqliteDatabase::query_text(const std::string& sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(std::move(statement).error());
  auto row = step(*statement);
  if (!row) return std::unexpected(std::move(row).error());
  const auto* text = *row ? sqlite3_column_text(statement->get(), 0) : nullptr;
  return text ? std::string(reinterpret_cast<const char*>(text)) : std::string();
}

Result<int64_t> SqliteDatabase::query_number(const std::string& sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(std::move(statement).error());
  auto row = step(*statement);
  if (!row) return std::unexpected(std::move(row).error());
  return *row ? sqlite3_column_int64(statement->get(), 0) : 0;
}

void SqliteDatabase::rollback() {
  if (!sqlite3_get_autocommit(db_.get())) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace skiff::store
