// What is remembered of builds: a Build resource each, and the text they put out as a file.
//
// A Build that has no end when the platform starts was cut by its end: it failed. The newest kKeptBuilds of
// an app are kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/scope.h"
#include "kube/client/client.h"
#include "platform/apps/release.h"
#include "platform/builds/build_details.h"

namespace skiff::platform {

constexpr size_t kKeptBuilds = 50;
constexpr size_t kMaxBuildText = 1 << 20;  // bytes kept of a build's output: its beginning

// Where the Platform API shows a build with its output.
std::string build_output_address(const std::string& app, const std::string& id);

// The output of a build as it comes. Pure.
class BuildText {
 public:
  void add(std::string_view piece);
  const std::string& text() const { return text_; }
  // The name in the last "-----> NAME app detected"; "" before such a line.
  std::string buildpack() const;

 private:
  std::string text_;
};

class BuildRecords {
 public:
  // `folder` holds the outputs: one folder an app.
  BuildRecords(io::Loop& loop, kube::Client& api, std::string folder)
      : loop_(loop), api_(api), folder_(std::move(folder)), scope_(loop) {}
  // Ends what a platform before this one left unfinished.
  io::Task<Result<void>> start();
  io::Task<Result<void>> begin(std::string app, std::string id, std::string commit);
  // A record that can't be written is logged: the build itself is not harmed by it.
  io::Task<void> end(std::string app, std::string id, const Result<Release>& outcome, const BuildText& text,
                     const BuildDetails& details);
  // The pusher went away during the build.
  void cancel(const std::string& app, const std::string& id, const BuildText& text,
              const BuildDetails& details);
  io::Task<Result<std::vector<json::Value>>> list(std::string app);         // newest first
  std::string output(const std::string& app, const std::string& id) const;  // "" when there is none

 private:
  static io::Task<void> end_cancelled(BuildRecords* self, std::string app, std::string id, BuildText text,
                                      BuildDetails details);
  std::string output_path(const std::string& app, const std::string& id) const;
  io::Task<void> write_status(std::string app, std::string id, json::Value status);
  io::Task<Result<void>> prune(std::string app);
  io::Loop& loop_;
  kube::Client& api_;
  std::string folder_;
  io::TaskScope scope_;
};

}  // namespace skiff::platform
