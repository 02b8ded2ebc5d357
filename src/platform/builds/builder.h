// Builds: from a source archive to an image of a release, in a pod of the build stack.
//
// A build has a folder DATA/builds/<id> with source.tar (sent by the push hook) and the config vars as files,
// and a disk (disk.h) on which the pod leaves out/slug.tar and out/Procfile. One build of an app at a time.
// Whoever drops the task of a build cancels the build: the pod goes, nothing is released. A pod that a dead
// platform left goes when the next platform starts.
#pragma once

#include <map>
#include <set>
#include <string>

#include "io/long_work.h"
#include "io/loop.h"
#include "io/scope.h"
#include "kube/client/client.h"
#include "net/http_client.h"
#include "platform/apps/apps.h"
#include "platform/builds/build_details.h"
#include "platform/builds/disk.h"
#include "platform/builds/layer_plan.h"
#include "platform/builds/limits.h"
#include "platform/builds/output.h"
#include "platform/builds/pod_start.h"
#include "platform/builds/pod_watch.h"
#include "platform/git/confinement.h"

namespace skiff::platform {

struct BuilderOptions {
  std::string data;  // DATA/platform
  std::string images;
  std::string buildpacks;
  std::string host_ca_bundle;
  net::ClientOptions api;  // for the log of the build pod
};

struct BuildFacts {
  std::string app, id, commit;
  std::string folder;  // of the input
  BuildLimits limits;
  std::set<std::string> earlier = {};  // ids of the builds that went on when this one began
  BuildDisk disk = {};
  LayerNames layers = {};  // of the stack, that its pod has
  std::string pod = {};
};

class Builder {
 public:
  // What reads pushed bytes on the host runs in `confinement`. All outlive the builder.
  Builder(io::Loop& loop, io::Network& network, kube::Client& api, Apps& apps, Confinement& confinement,
          BuilderOptions options);
  // Removes the pods, folders and mounts of builds that nobody waits for any more.
  io::Task<Result<void>> start();
  // Builds DATA/builds/<id>/source.tar and releases it. Output goes to people, as plain text. An error's
  // message is for them too: Conflict while another build of the app goes on. `details` outlives the task.
  io::Task<Result<Release>> build(std::string app, std::string id, std::string commit,
                                  BuildOutput::Sink output, BuildDetails& details);
  bool is_building(const std::string& app) const { return building_.contains(app); }
  // The next build of the app finds an empty cache. Conflict while a build of it goes on.
  io::Task<Result<void>> purge_cache(std::string app);
  // Takes the source of a build from a request's body (source.h). Whoever calls it removes build_folder() in
  // the end.
  io::Task<Result<void>> receive_source(std::string id, size_t submodule_bytes, net::BodyReader& body);
  std::string build_folder(const std::string& id) const { return options_.data + "/builds/" + id; }

 private:
  class Turn;
  // In the app's turn to the end: nobody else may write its images while old ones are removed.
  io::Task<Result<Release>> build_and_release(std::string app, std::string id, std::string commit,
                                              BuildOutput::Sink sink, BuildDetails& details);
  io::Task<Result<Slug>> make_slug(BuildFacts facts, BuildOutput& output, BuildDetails& details,
                                   PhaseClock& clock);
  // What the build says of itself, however it ended.
  std::vector<BuildPhase> read_details(const BuildFacts& facts, BuildDetails& details) const;
  // Before anything is built: a bad line should not cost a whole build.
  io::Task<Result<void>> check_procfile(std::string id, BuildLimits limits);
  Result<void> write_input(const std::string& id, const json::Value& vars,
                           const std::vector<std::string>& buildpacks);
  // Ids of the builds of other apps that go on; how many of these go on.
  std::set<std::string> others_going(const std::string& app) const;
  size_t count_going(const std::set<std::string>& ids) const;
  // In a pod with the stack layers that the build asks for, which are then those of the facts.
  io::Task<Result<void>> run_with_layers(BuildFacts& facts, BuildOutput& output, PhaseClock& clock);
  io::Task<Result<LayerPlan::Next>> run_pod_of_plan(BuildFacts facts, LayerPlan& plan, BuildOutput& output,
                                                    PhaseClock& clock);
  io::Task<Result<void>> run_pod(BuildFacts facts, BuildOutput& output, PhaseClock& clock);
  io::Task<Result<void>> start_pod(BuildFacts facts, PodWatch& watch, BuildOutput& output);
  io::Task<void> remove_pod(std::string name);
  // The pod at its end, once its whole log is shown.
  io::Task<Result<json::Value>> see_to_end(PodWatch& watch, std::string log_path, BuildOutput& output);
  // For ever: a log that breaks off, since a role died, is taken up where it was.
  static io::Task<void> keep_showing(Builder* self, std::string log_path, BuildOutput* output, size_t* shown);
  // Shows the log beyond the first `shown` bytes, which it counts on.
  io::Task<Result<void>> show_log(std::string log_path, BuildOutput& output, size_t& shown);
  io::Task<Result<Slug>> make_image(BuildFacts facts);
  io::Task<void> clean_up(std::string app, std::string id);

  io::Loop& loop_;
  kube::Client& api_;
  Apps& apps_;
  Confinement& confinement_;
  BuilderOptions options_;
  BuildDisks disks_;
  net::HttpClient log_client_;
  io::LongWork copies_;                          // of what builds left
  std::map<std::string, std::string> building_;  // apps, and the ids of their builds
  io::TaskScope scope_;                          // cleans up behind builds that were dropped
};

// Pure: the pod of a build. `proxies` are NAME=value of the host.
json::Value build_pod_manifest(const BuildFacts& facts, const BuilderOptions& options,
                               const std::map<std::string, std::string>& proxies);
// Pure: what the pod asks for, in MB, so that the scheduler lets builds wait for each other.
int64_t plan_memory_request(int64_t limit_mb, int64_t machine_mb);
// Pure: why the pod of a build failed, for people.
std::string explain_failure(const json::Value& pod, const BuildFacts& facts, bool told_of_full_disk);
// The host's http_proxy, https_proxy, no_proxy, in both spellings.
std::map<std::string, std::string> host_proxies();

}  // namespace skiff::platform
