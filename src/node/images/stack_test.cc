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
  CHECK(sources ==
        "deb http://deb.debian.org/debian bookworm main\n"
        "deb http://deb.debian.org/debian bookworm main\n"
        "deb http://deb.debian.org/debian bookworm-updates main\n");
}

TEST_CASE("sources of the newer style become lines, with their key and all that their folded fields name") {
  CHECK(
      pick_sources(
          "",
          "# a comment\nTypes: deb deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\n"
          "Components: main\n contrib\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
          "Types: deb\nURIs: http://deb.debian.org/debian-security\nSuites: bookworm-security trixie\n"
          "Components: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n\n"
          "Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n\n"
          "Enabled: no\nTypes: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n",
          "bookworm") ==
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm "
      "main contrib\n"
      "deb http://deb.debian.org/debian-security bookworm-security main\n");
}

TEST_CASE("a host without usable sources gets Debian's") {
  CHECK(pick_sources("", "", "bookworm").find("bookworm-security") != std::string::npos);
}

TEST_CASE("proxies of the host's apt are handed on") {
  const auto options =
      proxy_options("Acquire::http::Proxy \"http://proxy:3128\";\nAPT::Architecture \"amd64\";\n");
  CHECK(options == std::vector<std::string>{"--aptopt=Acquire::http::Proxy \"http://proxy:3128\";"});
}
