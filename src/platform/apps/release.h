// A release: one build with one set of config vars, as the immutable resource Release "v<N>". Pure.
#pragma once

#include <map>
#include <string>

#include "base/json.h"

namespace skiff::platform {

struct Release {
  int version = 0;
  std::string description;
  std::string image;   // "" before the first build
  std::string digest;  // of the image's manifest
  std::string commit;
  std::map<std::string, std::string> types;  // process type to command
  std::string created_at;
  std::string phase;             // see rollout.h
  std::string message;           // why it is not up
  std::string failed_type = "";  // the process type of the dyno that it failed for
  // Of a release that was just made: whether the cluster has it already.
  enum class Written { kLater, kNow } written = Written::kLater;
  // Likewise: process types with dynos that it has no more, and how many those were.
  std::map<std::string, int> stopped = {};
  std::string id = "";  // of the resource
};

constexpr const char* kPending = "Pending";
constexpr const char* kSucceeded = "Succeeded";
constexpr const char* kFailed = "Failed";
constexpr const char* kSuperseded = "Superseded";

// What a build leaves.
struct Slug {
  std::string image;
  std::string commit;
  std::map<std::string, std::string> types;
  std::string digest = "";
};

std::string release_name(int version);        // "v3"
std::string config_secret_name(int version);  // "config-v3"
json::Value release_manifest(const std::string& app, const Release& release);
Release parse_release(const json::Value& object);

}  // namespace skiff::platform
