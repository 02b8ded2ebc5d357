// Starts a program in namespaces of its own choosing: conmon and the OCI runtime.
//
// The child gets a private copy of the mount table (changes of the host still reach it), from which the paths
// in `detach` are gone, and an overlay when asked for. So a container's root lives exactly as long as its
// conmon: nothing is left to unmount after a kill -9. It then joins the namespaces given by descriptor and
// executes. Blocking for the time of a fork; call from any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"

namespace skiff::node {

struct Overlay {
  std::string layers_directory;     // `lower` is relative to it, which keeps the mount options short
  std::vector<std::string> lower;   // topmost first
  std::string upper, work, target;  // absolute
};

// A part of a volume, put on a place of its own that only the child sees. The child itself walks to it, never
// out of the volume: a container that swaps a folder for a link meanwhile gains nothing.
struct SubPathMount {
  std::string volume, sub_path;  // relative to the volume
  std::string target;            // an empty folder or file, as the source is one
  bool folder = true;
};

struct LaunchOptions {
  std::vector<std::string> argv;         // argv[0] is an absolute path
  std::vector<std::string> env;          // "KEY=value"
  std::vector<std::string> detach;       // mounts that the child does not see; missing ones are fine
  std::vector<std::string> keep_mounts;  // mounts below a detached path that the child keeps
  std::vector<SubPathMount> sub_paths;
  const Overlay* overlay = nullptr;
  std::vector<int> join;  // namespace descriptors, joined in order
  int stdout_fd = -1;     // -1: /dev/null
  int stderr_fd = -1;
  std::vector<std::pair<int, int>> pass;  // descriptor of ours → number in the child (3 and above)
};

// The child's pid; the caller reaps it. A failed set-up step shows as exit code 127 and a line on stderr.
Result<pid_t> launch(const LaunchOptions& options);

}  // namespace skiff::node
