#include "node/pod/linux_pod_host.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "io/file.h"
#include "node/pod/pod_folder.h"

using namespace skiff;
using namespace skiff::node;

TEST_CASE("old output goes with its rotated files, that of newer attempts and other containers stays") {
  std::string root = "/tmp/skiff-output-XXXXXX";
  REQUIRE(::mkdtemp(root.data()) != nullptr);
  const NodePaths paths{root};
  const auto pod = *json::parse(R"({"metadata":{"name":"p","namespace":"n","uid":"u"}})");
  const std::string logs = pod_log_folder(paths, pod) + "/web", etc = paths.etc("u");
  REQUIRE(io::make_directories(logs));
  REQUIRE(io::make_directories(etc));
  for (const char* name : {"8.log", "9.log", "9.log.20260101-000000", "10.log", "10.log.20260102-000000"}) {
    REQUIRE(io::write_file_atomic(logs + "/" + name, "x"));
  }
  for (const char* name : {"hosts", "termination-web-9", "termination-web-10", "termination-web-2-9"}) {
    REQUIRE(io::write_file_atomic(etc + "/" + name, "x"));
  }
  remove_old_output(paths, pod, "web", 10);
  CHECK(io::list_directory(logs)->size() == 2);
  CHECK(io::path_exists(logs + "/10.log"));
  CHECK(io::path_exists(logs + "/10.log.20260102-000000"));
  CHECK(io::list_directory(etc)->size() == 3);
  CHECK(!io::path_exists(etc + "/termination-web-9"));
  auto removed = io::remove_tree(root);
}
