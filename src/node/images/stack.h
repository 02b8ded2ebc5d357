// The built-in stack images, made on this machine from its own Debian mirror: skiff.local/stack:run holds
// what apps need to run, skiff.local/stack:build adds compilers as a second layer. Made once; again when the
// recipe changes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"

namespace skiff::node {

constexpr const char* kRunImage = "skiff.local/stack:run";
constexpr const char* kBuildImage = "skiff.local/stack:build";

struct StackOptions {
  std::string local_images;  // folder of OCI layouts; the stack's is <local_images>/stack
  std::string work;          // temporary folder on the same file system, emptied before and after
  std::string cache;         // of the machine, for all its instances (stack_cache.h); "": none
  std::string mmdebstrap = "/usr/bin/mmdebstrap", unshare = "/usr/bin/unshare";
  std::function<void(const std::string& line)> progress;  // called on the loop; may be empty
};

// True when both images of the present recipe are there: a few small reads.
bool stack_ready(const StackOptions& options);
// What a start that was killed left of copying or making them. For who alone makes them, before anything
// else.
io::Task<void> remove_stack_leftovers(io::Loop& loop, StackOptions options);
// Takes them from the cache, or makes them and keeps them there, unless they are there. As root; making them
// needs the network, about half a minute and 600 MB. Says how long it took.
io::Task<Result<void>> build_stack(io::Loop& loop, StackOptions options);

// For stack_update.h.
// Makes both images in an empty place, without a look at what is there, in `options.work` and
// `options.local_images`.
io::Task<Result<void>> make_stack(io::Loop& loop, StackOptions options);
std::string stack_recipe();
// The lines of the stack's /etc/apt/sources.list, which are the host's.
std::vector<std::string> stack_sources();

// Pure parts.
// The entries of the host's apt sources that belong to its own release, in one-line style: that of
// /etc/apt/sources.list, which classic buildpacks read. `deb822` holds files of the newer style.
std::string pick_sources(const std::string& one_line, const std::string& deb822, const std::string& codename);
// "--aptopt=…" for each proxy setting in the output of `apt-config dump`.
std::vector<std::string> proxy_options(const std::string& apt_config);

}  // namespace skiff::node
