// Image references: "nginx", "ghcr.io/a/b:1.2", "x@sha256:…".
#pragma once

#include <string>

#include "base/result.h"

namespace skiff::node {

struct Reference {
  std::string domain;      // "docker.io" when none is given
  std::string repository;  // "library/nginx"
  std::string tag;         // "latest" when neither tag nor digest is given
  std::string digest;      // "sha256:…" or ""
  // With everything spelled out.
  std::string canonical() const;
};
// InvalidArgument with the reason for the message "couldn't parse image name …".
Result<Reference> parse_reference(const std::string& text);

// Images of this domain come from the instance's own folder, never from a registry.
constexpr const char* kLocalDomain = "skiff.local";

}  // namespace skiff::node
