#include "node/pod/pod_folder.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>

#include "io/file.h"

using namespace skiff;
using namespace skiff::node;

namespace {

struct Pods {
  Pods() {
    std::string root = "/tmp/skiff-pods-XXXXXX";
    REQUIRE(::mkdtemp(root.data()) != nullptr);
    paths = {root};
  }
  ~Pods() { auto removed = io::remove_tree(paths.root); }
  void write(const std::string& path) const {
    REQUIRE(io::make_directories(path.substr(0, path.rfind('/'))));
    REQUIRE(io::write_file_atomic(path, "x"));
  }
  NodePaths paths;
};

}  // namespace

TEST_CASE("a pod's folder goes with its logs, and other pods stay") {
  const Pods pods;
  const auto pod = *json::parse(R"({"metadata":{"name":"p","namespace":"n","uid":"u"}})");
  pods.write(pods.paths.pod("u") + kPodFile);
  pods.write(pods.paths.etc("u") + "/hosts");
  pods.write(pod_log_folder(pods.paths, pod) + "/web/0.log");
  pods.write(pods.paths.pod("other") + kPodFile);
  REQUIRE(remove_pod_folder(pods.paths, pod));
  CHECK(io::list_directory(pods.paths.pods()) == std::vector<std::string>{"other"});
  CHECK(io::list_directory(pods.paths.logs())->empty());
}

TEST_CASE("what keeps a pod's folder from going keeps the file that names the pod" *
          doctest::skip(::geteuid() != 0)) {
  const Pods pods;
  const auto pod = *json::parse(R"({"metadata":{"name":"p","namespace":"n","uid":"u"}})");
  pods.write(pods.paths.pod("u") + kPodFile);
  const std::string held = pods.paths.pod("u") + "/z";
  REQUIRE(io::make_directories(held));
  if (::mount("none", held.c_str(), "tmpfs", 0, "size=4k") != 0) return;  // a root that may not mount
  CHECK(!remove_pod_folder(pods.paths, pod));
  CHECK(io::path_exists(pods.paths.pod("u") + kPodFile));
  REQUIRE(::umount(held.c_str()) == 0);
  CHECK(remove_pod_folder(pods.paths, pod));
  CHECK(!io::path_exists(pods.paths.pod("u")));
}

TEST_CASE("folders without a pod are swept, but for those with volumes") {
  const Pods pods;
  REQUIRE(io::make_directories(pods.paths.pod("empty")));
  pods.write(pods.paths.pod("cut") + kPodFile + ".new");
  pods.write(pods.paths.etc("half") + "/hosts");
  pods.write(pods.paths.pod("named") + kPodFile);
  pods.write(pods.paths.volumes("power-cut") + "/data/file");
  sweep_nameless_pods(pods.paths);
  auto names = io::list_directory(pods.paths.pods()).value();
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"named", "power-cut"});
}
