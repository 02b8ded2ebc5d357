#include "node/images/stack.h"

#include <doctest/doctest.h>

using namespace skiff::node;

TEST_CASE("only the release's own Debian sources are taken from the host") {
  const auto sources = pick_sources(
      "# c\ndeb http://deb.debian.org/debian bookworm main\ndeb https://other.example/apt stable main\n"
      "deb-src http://deb.debian.org/debian bookworm main\n",
      "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\nComponents: "
      "main\n\n"
      "Types: deb\nURIs: https://other.example\nSuites: nodistro\nComponents: main\n",
      "bookworm");
  CHECK(sources.one_line == "deb http://deb.debian.org/debian bookworm main\n");
  CHECK(sources.deb822.find("bookworm-updates") != std::string::npos);
  CHECK(sources.deb822.find("nodistro") == std::string::npos);
}

TEST_CASE("a host without usable sources gets Debian's") {
  CHECK(pick_sources("", "", "bookworm").one_line.find("bookworm-security") != std::string::npos);
}

TEST_CASE("proxies of the host's apt are handed on") {
  const auto options =
      proxy_options("Acquire::http::Proxy \"http://proxy:3128\";\nAPT::Architecture \"amd64\";\n");
  CHECK(options == std::vector<std::string>{"--aptopt=Acquire::http::Proxy \"http://proxy:3128\";"});
}
