# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/build
# What the build's own scripts say, and how they end. Sourced by bin/build.

# True when the kernel killed a process of this container for its memory (cgroup v1, v2).
ran_out_of_memory() {
  grep -qs '^oom_kill [1-9]' /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events
}

fail() {
  ! ran_out_of_memory || exit 137 # as if the kernel had killed the build itself: the platform knows what to say
  echo
  for line in "$@"; do echo " !     $line"; done
  exit 1
}

# The lines of a file that say something; it may come from Windows, with a mark at its start, and its last line may lack its end.
list_entries() {
  # shellcheck disable=SC1003 # an a of sed, which ends the last line
  sed -E -e '1s/^\xEF\xBB\xBF//; s/\r$//; s/^[[:blank:]]+//; s/[[:blank:]]+$//; /^(#|$)/d' -e '$a\' "$1"
}

# How long the parts of a build take, for operators: a line "NAME MILLISECONDS" for each.
phase_began=${EPOCHREALTIME/[^0-9]/}
end_phase() { # end_phase NAME
  local now=${EPOCHREALTIME/[^0-9]/}
  echo "$1 $(((now - phase_began) / 1000))" >>"$out/phases"
  phase_began=$now
}
