#include "node/runtime/record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"
#include "io/file.h"
#include "node/digest.h"

namespace skiff::node {

std::string container_id(const ContainerKey& key) {
  return sha256_hex(key.pod_uid + "/" + key.name + "/" + std::to_string(key.attempt));
}

namespace {
std::string time_text(WallTime time) {
  return time == WallTime{} ? "" : format_rfc3339_nano(time);
}
WallTime text_time(const std::string& text) {
  return parse_rfc3339(text).value_or(WallTime{});
}
constexpr int kKilled = 137;  // 128 + SIGKILL: what the end of a container that nobody saw is reported as
}  // namespace

json::Value encode_record(const ContainerRun& run) {
  return json::Value::object({{"podUid", run.key.pod_uid},
                              {"name", run.key.name},
                              {"attempt", run.key.attempt},
                              {"id", run.id},
                              {"image", run.image},
                              {"imageId", run.image_id},
                              {"created", time_text(run.created)},
                              {"started", time_text(run.started)},
                              {"finished", time_text(run.finished)},
                              {"exitCode", run.exit_code},
                              {"reason", run.reason},
                              {"message", run.message},
                              {"stopSignal", run.stop_signal},
                              {"sandbox", run.sandbox_number}});
}

Result<ContainerRun> parse_record(const json::Value& record) {
  ContainerRun run;
  run.key = {record["podUid"].str(), record["name"].str(), static_cast<int>(record["attempt"].as_int())};
  run.id = record["id"].str();
  if (run.key.pod_uid.empty() || run.key.name.empty() || run.id.empty()) {
    return fail(Code::kDataLoss, "a container's record lacks its pod, name or id");
  }
  run.image = record["image"].str();
  run.image_id = record["imageId"].str();
  run.created = text_time(record["created"].str());
  run.started = text_time(record["started"].str());
  run.finished = text_time(record["finished"].str());
  run.exit_code = static_cast<int>(record["exitCode"].as_int());
  run.reason = record["reason"].str();
  run.message = record["message"].str();
  run.stop_signal = record["stopSignal"].str();
  run.sandbox_number = static_cast<int>(record["sandbox"].as_int());
  if (run.started != WallTime{}) run.state = RunState::kRunning;
  if (run.finished != WallTime{}) run.state = RunState::kExited;
  return run;
}

void read_exit(const std::string& bundle, ContainerRun& run) {
  struct stat info{};
  auto text = io::read_file(bundle + kExitFile);
  if (!text || ::stat((bundle + kExitFile).c_str(), &info) != 0) return;
  run.state = RunState::kExited;
  run.exit_code = static_cast<int>(parse_int(trim(*text)).value_or(kKilled));
  run.finished =
      WallTime(std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec));
  if (!run.reason.empty()) return;
  const bool out_of_memory = run.exit_code == kKilled && io::path_exists(bundle + kOomFile);
  run.reason = out_of_memory ? "OOMKilled" : run.exit_code == 0 ? "Completed" : "Error";
}

void mark_lost(ContainerRun& run, WallTime now) {
  run.state = RunState::kExited;
  run.exit_code = kKilled;
  run.finished = now;
  run.reason = "ContainerStatusUnknown";
  run.message = "The container could not be located when the pod was terminated";
}

Result<void> write_quick(const std::string& path, std::string_view data) {
  const std::string temporary = path + ".new";
  io::UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "create " + temporary);
  while (!data.empty()) {
    const ssize_t written = ::write(file.get(), data.data(), data.size());
    if (written < 0) return fail_errno(errno, "write " + temporary);
    data.remove_prefix(static_cast<size_t>(written));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno(errno, "replace " + path);
  return {};
}

}  // namespace skiff::node
