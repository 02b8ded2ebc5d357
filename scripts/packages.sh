# The Debian packages that Skiff needs, by what they are for. Sourced by scripts/setup.
packages_build="clang-19 clang-format-19 lld-19 ccache cmake ninja-build pkg-config python3 libfmt-dev libcli11-dev \
  libssl-dev libsqlite3-dev libarchive-dev libyaml-dev libseccomp-dev libnftables-dev libmnl-dev zlib1g-dev libre2-dev doctest-dev"
packages_run="crun runc conmon skopeo mmdebstrap nftables iproute2 git curl ca-certificates procps"
packages_test="libclang-rt-19-dev python3-pytest python3-yaml python3-websocket python3-selenium python3-feedparser \
  chromium chromium-driver wrk haproxy nginx-light ruby shellcheck pyflakes3"
