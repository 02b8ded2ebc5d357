#include "node/agent/storage_watch.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/file.h"

using namespace skiff;
using namespace skiff::node;

namespace {
json::Value limited() {
  return *json::parse(R"({"spec":{"volumes":[{"name":"v","emptyDir":{"sizeLimit":"1Mi"}}],
    "containers":[{"name":"c","resources":{"limits":{"ephemeral-storage":"2Mi"}}}]}})");
}
}  // namespace

TEST_CASE("a volume over its limit is named") {
  CHECK(find_disk_excess(limited(), {{}, {{"v", 2 << 20}}})->find("EmptyDir volume \"v\"") !=
        std::string::npos);
}

TEST_CASE("a container's layer and the whole pod have limits") {
  CHECK(find_disk_excess(limited(), {{{"c", 3 << 20}}, {}})->starts_with("Container c exceeded"));
  CHECK(find_disk_excess(limited(), {{{"c", 3 << 19}}, {{"v", 1 << 20}}})->starts_with("Pod ephemeral"));
  CHECK(!find_disk_excess(limited(), {{{"c", 1 << 20}}, {{"v", 1 << 19}}}));
}

TEST_CASE("what a pod writes into its termination message counts for the whole pod") {
  std::string folder = "/tmp/skiff-storage-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const NodePaths paths{folder};
  json::Value pod = limited();
  pod.set("metadata", json::Value::object({{"uid", "u"}, {"name", "p"}, {"namespace", "n"}}));
  REQUIRE(io::make_directories(paths.etc("u")));
  REQUIRE(io::write_file_atomic(paths.etc("u") + "/termination-c-0", std::string(3 << 20, 'x')));
  const DiskUsage usage = measure_disk(paths, pod);
  CHECK(io::remove_tree(folder));
  CHECK(usage.files >= 3 << 20);
  CHECK(find_disk_excess(pod, usage)->starts_with("Pod ephemeral"));
}

TEST_CASE("more names than are counted are a reason to evict, wherever in the pod they are") {
  std::string folder = "/tmp/skiff-storage-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const NodePaths paths{folder};
  json::Value pod = limited();
  pod.set("metadata", json::Value::object({{"uid", "u"}, {"name", "p"}, {"namespace", "n"}}));
  const std::string upper = paths.attempts("u", "c") + "/0/upper";
  REQUIRE(io::make_directories(upper));
  REQUIRE(io::make_directories(paths.etc("u")));
  REQUIRE(io::write_file_atomic(upper + "/one", "x"));
  for (int i = 0; i < 20; ++i) {
    REQUIRE(::link((upper + "/one").c_str(), (upper + "/" + std::to_string(i)).c_str()) == 0);
  }
  const DiskUsage all = measure_disk(paths, pod);
  const DiskUsage some = measure_disk(paths, pod, 10);
  const DiskUsage enough = measure_disk(paths, pod, all.entries);
  CHECK(io::remove_tree(folder));
  CHECK(!all.too_many);
  CHECK(all.entries > 20);
  CHECK(!find_disk_excess(pod, all));
  CHECK(some.too_many);
  CHECK(some.entries <= 10);
  CHECK(find_disk_excess(pod, some)->find("more than") != std::string::npos);
  CHECK(!enough.too_many);
}

TEST_CASE("folders nested beyond counting are a reason to evict") {
  DiskUsage usage;
  usage.too_deep = true;
  CHECK(find_disk_excess(limited(), usage)->find("levels deep") != std::string::npos);
}

TEST_CASE("pods without limits are not measured") {
  CHECK(has_disk_limit(limited()));
  CHECK(!has_disk_limit(
      *json::parse(R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c"}]}})")));
}
