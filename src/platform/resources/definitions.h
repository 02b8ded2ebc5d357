// The platform's own kinds, App, Build and Release: where they live in the API, and their definitions.
//
// The definitions are src/platform/resources/*.yaml, as they would be applied to any cluster; the platform
// applies them when it starts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/loop.h"
#include "kube/client/client.h"

namespace skiff::platform {

constexpr const char* kResourceVersion = "skiff.dev/v1alpha1";

// "/apis/skiff.dev/v1alpha1/namespaces/shop/releases"; of the whole cluster without an app.
std::string resources_path(std::string_view plural, const std::string& app = "");
// "/apis/skiff.dev/v1alpha1/namespaces/shop/releases/v3"
std::string resource_path(std::string_view plural, const std::string& app, const std::string& name);
// An object of one of the kinds, in the app's namespace.
json::Value make_resource(std::string_view kind, const std::string& app, const std::string& name,
                          json::Value spec);

// When an object of one of the kinds was made. One that a rename copied says when its original was.
constexpr const char* kCreatedAtAnnotation = "skiff.dev/created-at";
std::string created_at(const json::Value& object);

// The YAML that is part of this binary.
const char* definitions_text();
// Applies all definitions and waits until the API serves them.
io::Task<Result<void>> apply_definitions(io::Loop& loop, kube::Client& api);

}  // namespace skiff::platform
