// A thin owner of one SQLite connection and its prepared statements; errors become Result with our codes.
// One thread at a time.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::store {

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* get() const { return statement_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteDatabase {
 public:
  // `vfs` names the file system to use; null is the real one.
  static Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path, const char* vfs);

  // Runs statements that give no rows anybody wants.
  Result<void> exec(const std::string& sql);
  Result<int64_t> query_number(const std::string& sql);
  Result<std::string> query_text(const std::string& sql);
  Result<Statement> prepare(const std::string& sql);
  // One step: true when there is a row. Reset the statement after the last one.
  Result<bool> step(const Statement& statement);
  // Runs a statement without rows and resets it.
  Result<void> run(const Statement& statement);
  // Ends a transaction that failed, if SQLite has not done so itself.
  void rollback();
  const std::string& path() const { return path_; }

 private:
  explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}
  std::unexpected<Error> fail_here(int code) const;
  std::unexpected<Error> fail_full() const;

  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  const std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace skiff::store
