#include "node/images/layer_script.h"

namespace skiff::node {

// $1 work folder, $2 the base of apps, $3 the base of builds as overlayfs's lowerdir, $4 the layer's name, $5
// and $6 its packages. All mounts are in a namespace of its own: they end with the script, however it ends.
// What it prints besides apt's words begins with "skiff: ". It leaves run.tar (unless there are no run
// packages) and build.tar.
const char* const kLayerScript = R"sh(
set -eu
work=$1 run_base=$2 build_base=$3 name=$4 run_packages=$5 build_packages=$6
mount --make-rprivate /
cd "$work"
mkdir lists archives over merged plan
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

# open_root LOWER UPPER: the root that packages are installed into, at merged.
open_root() {
  mkdir -p "$2"
  rm -rf over
  mkdir over
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=over,redirect_dir=off,metacopy=off" merged
  mount -t proc proc merged/proc
  mount --rbind /dev merged/dev
  mount --rbind /sys merged/sys
  mkdir -p merged/var/lib/apt/lists merged/var/cache/apt/archives
  mount --bind lists merged/var/lib/apt/lists
  mount --bind archives merged/var/cache/apt/archives
  rm -f merged/etc/resolv.conf
  cp -L /etc/resolv.conf merged/etc/resolv.conf
  printf '#!/bin/sh\nexit 101\n' > merged/usr/sbin/policy-rc.d
  chmod 755 merged/usr/sbin/policy-rc.d
  # Alternatives link manual pages, whose folders the stack does not have.
  mkdir -p merged/usr/share/man/man1 merged/usr/share/man/man7 merged/usr/share/man/man8
}

close_root() {
  umount -R -l merged
}

apt() {
  chroot merged apt-get -q -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 "$@"
}

install() {
  apt -y -f --no-install-recommends --no-remove -o Dpkg::Options::=--force-unsafe-io \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$@"
}

# What apt would fetch: lines 'ADDRESS' FILE BYTES SUM.
plan() {
  apt -y -f --no-install-recommends --no-remove --print-uris install "$@" > plan/out
  grep "^'" plan/out >> plan/files || true
}

# stanzas OLD NEW: those of NEW that OLD does not have just so.
stanzas() {
  awk 'BEGIN { RS = ""; ORS = "\n\n" } NR == FNR { old[$0] = 1; next } !($0 in old)' "$1" "$2"
}

# Of what all layers and the base share, no layer may bring its own: the topmost would hide the others'. Caches and
# logs are nobody's, accounts belong to services, which do not run here. What the base says of its certificates stays.
leave_out() {
  for path in dev proc sys run tmp root home mnt media boot var/tmp var/log var/cache var/mail var/spool var/backups \
    var/lib/apt var/lib/systemd var/lib/ucf var/lib/pam \
    usr/share/man usr/share/doc usr/share/info usr/share/locale usr/share/lintian usr/sbin/policy-rc.d \
    etc/resolv.conf etc/ld.so.cache etc/mtab etc/hostname etc/hosts etc/.pwd.lock etc/shells etc/mailcap \
    etc/passwd etc/passwd- etc/group etc/group- etc/shadow etc/shadow- etc/gshadow etc/gshadow- \
    etc/subuid etc/subuid- etc/subgid etc/subgid- etc/ssl/certs/ca-certificates.crt; do
    rm -rf "$1/$path"
  done
  for path in "$1"/var/lib/dpkg/*; do
    case $path in */info | */alternatives) ;; *) rm -rf "$path" ;; esac
  done
  rm -f "$1"/var/lib/dpkg/info/format
}

pack() {
  (
    cd "$1"
    find . -type c | while read -r gone; do
      [ "$(stat -c %t:%T "$gone")" = 0:0 ] || continue
      rm "$gone"
      : > "$(dirname "$gone")/.wh.$(basename "$gone")"
    done
    tar --numeric-owner --sort=name --xattrs --xattrs-include=security.capability -cf "../$1.tar" .
  )
}

notes=usr/share/skiff/layers/$name
mkdir run build
open_root "$build_base" plan/upper
apt -o APT::Update::Error-Mode=any update
plan $build_packages $run_packages
close_root
open_root "$run_base" run
plan $run_packages
sort -u plan/files | awk '{ n++; bytes += $3 } END { printf "skiff: plan %d %d\n", n, bytes }'
cp merged/var/lib/dpkg/status plan/run-before
: > plan/run-added
if [ -n "$run_packages" ]; then
  install $run_packages
  stanzas plan/run-before merged/var/lib/dpkg/status > plan/run-added
fi
close_root
leave_out run
: > plan/run-programs
for folder in usr/local/sbin usr/local/bin usr/sbin usr/bin; do
  [ ! -d "run/$folder" ] || find "run/$folder" -maxdepth 1 ! -type d ! -type c -printf '%f\n'
done | sort -u > plan/run-programs

lower=$build_base
[ -z "$run_packages" ] || lower=$PWD/run:$build_base
open_root "$lower" build
# dpkg sees what the base of builds and the run set brought; of a package that both have, the run set's is on top.
cp merged/var/lib/dpkg/status plan/build-before
awk 'BEGIN { RS = ""; ORS = "\n\n"; FS = "\n" } NR == FNR { added[$1] = 1; print; next } !($1 in added)' \
  plan/run-added plan/build-before > plan/status
cp plan/status merged/var/lib/dpkg/status
cp plan/status plan/build-before
: > plan/build-added
if [ -n "$build_packages" ]; then
  echo "skiff: build set"
  install $build_packages
  stanzas plan/build-before merged/var/lib/dpkg/status > plan/build-added
fi
close_root
leave_out build

# The notes of the run set go with it; those of a layer without one are in the build set's.
owner=run
[ -n "$run_packages" ] || owner=build
mkdir -p "$owner/$notes" "build/$notes"
cp plan/run-added "$owner/$notes/status-run"
cp plan/run-programs "$owner/$notes/run-programs"
cp plan/build-added "build/$notes/status-build"
[ -z "$run_packages" ] || pack run
pack build
)sh";

}  // namespace skiff::node
