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
  std::string phase;  // "Pending", kSucceeded
};

constexpr const char* kSucceeded = "Succeeded";  // a release's rollout was begun

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
