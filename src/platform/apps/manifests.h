// What a release looks like in the cluster: pure functions from an app's facts to Kubernetes objects.
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "platform/apps/app_spec.h"

namespace skiff::platform {

// The port that a web process is told to listen on.
constexpr int kWebPort = 5000;
// A web process has this long to listen on $PORT (Heroku's R10).
constexpr int kBootSeconds = 60;
// A dyno is up when it has been ready for so long: one that dies at its first connection, or right after its
// start, never is. The dynos of the release before serve meanwhile.
constexpr int kSettleSeconds = 3;
// From SIGTERM to SIGKILL (Heroku's R12).
constexpr int kStopGraceSeconds = 30;
// Before SIGTERM to a web process: the edge and the services stop sending new requests meanwhile.
constexpr int kDrainSeconds = 2;

// Builds and apps run as this user of the stack images (node/images/stack.cc makes it), never as root.
constexpr int kDynoUser = 70000;

// Memory of a dyno: that of Heroku's Basic.
constexpr int kDynoMegabytes = 512;
// Of all that a dyno writes, its log included; measured every few seconds, and one that passes it is evicted.
constexpr int kDynoDiskMegabytes = 2048;

constexpr const char* kAppLabel = "skiff.dev/app";
constexpr const char* kProcessLabel = "skiff.dev/process";
constexpr const char* kReleaseLabel = "skiff.dev/release";
constexpr const char* kBuildLabel = "skiff.dev/build";

// Builds mount folders of the host, which no app may: their pods have a namespace of their own.
constexpr const char* kBuildsNamespace = "skiff-builds";

struct ReleaseFacts {
  std::string app;
  int version = 0;
  std::string image;          // "skiff.local/shop:v3"
  std::string config_secret;  // the config vars of this release
};

// An app's pods are restricted (Pod Security Standards); builds are privileged.
json::Value namespace_manifest(const std::string& app);
json::Value builds_namespace_manifest();
// What the level restricted asks of a pod, and of each of its containers.
json::Value dyno_security();
json::Value container_security();
json::Value config_secret_manifest(const std::string& app, int version, const json::Value& vars);
// The Deployment of one process type.
json::Value deployment_manifest(const ReleaseFacts& release, const std::string& type,
                                const std::string& command, int quantity);
json::Value service_manifest(const std::string& app);
enum class Content { kBlank, kBuilt };
struct RouteFacts {
  std::string app, domain;
  Maintenance maintenance = Maintenance::kOff;
  Content content = Content::kBuilt;
};
json::Value ingress_manifest(const RouteFacts& route);
// The Procfile's command that a pod of ours runs.
std::string command_of(const json::Value& pod);

}  // namespace skiff::platform
