// Images as the pod worker sees them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "io/task.h"

namespace skiff::node {

// What an image says about how to run it.
struct ImageConfig {
  std::vector<std::string> env;
  std::vector<std::string> entrypoint, cmd;
  std::string directory;
  std::string user;         // "", "1000", "web", "1000:1000"
  std::string stop_signal;  // "" is SIGTERM
};

struct Image {
  std::string name;                 // as asked for
  std::string id;                   // "sha256:…" of its configuration
  std::vector<std::string> layers;  // folders in the store, topmost first
  ImageConfig config;
  int64_t bytes = 0;
};

enum class PullPolicy { kAlways, kIfNotPresent, kNever };
// "" chooses by the tag: Always for :latest or none, else IfNotPresent.
PullPolicy pull_policy(const std::string& policy, const std::string& reference);

struct ImageOutcome {
  std::optional<Image> image;
  std::string reason;  // ErrImagePull, ErrImageNeverPull, InvalidImageName
  std::string message;
  bool pulled = false;  // fetched now, against already present
  double seconds = 0;
};

class ImageService {
 public:
  virtual ~ImageService() = default;
  // True when ensure() would answer without a registry.
  virtual bool present(const std::string& reference) const = 0;
  // Hears what goes on while an image is made here (stack_layers.h): messages for people. Not after the
  // task's end.
  using Tell = std::function<void(const std::string& message)>;
  // For a pod of `name_space`. `docker_config` is the text of a .dockerconfigjson, or "". `tell` may be
  // empty.
  virtual io::Task<ImageOutcome> ensure(std::string reference, std::string name_space, PullPolicy policy,
                                        std::string docker_config, Tell tell) = 0;
  // A file of the image, for /etc/passwd and /etc/group; nothing when absent.
  virtual std::optional<std::string> read_file(const Image& image, const std::string& path) const = 0;
  // The images on this node, for its status and for garbage collection.
  virtual std::vector<Image> list() const = 0;
};

}  // namespace skiff::node
