# SPDX-License-Identifier: Apache-2.0
#
# Helpers of the scripts in this directory and in ../systems; source after `set -euo pipefail`.
# shellcheck shell=bash

PATH=$PATH:/usr/sbin:/sbin

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 125
}

# need COMMAND PACKAGE [COMMAND PACKAGE]...: stop unless every command exists; name the Debian packages to install.
need() {
  local missing=()
  while (($#)); do
    command -v "$1" >/dev/null || missing+=("$2")
    shift 2
  done
  ((${#missing[@]} == 0)) ||
    die "missing Debian packages; run: sudo apt-get install $(printf '%s\n' "${missing[@]}" | sort -u | paste -sd' ')"
}

need_root_amd64() {
  [[ $(uname -m) == x86_64 ]] || die "user-mode Linux is built for x86_64 only"
  ((EUID == 0)) || die "must run as root"
}

# allowed_cpus: the host CPUs that this process may use, one per line.
allowed_cpus() {
  local part parts
  IFS=, read -ra parts < <(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
  for part in "${parts[@]}"; do seq "${part%-*}" "${part#*-}"; done
}

kill_child() {
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# supervise COMMAND...: run it in PID and mount namespaces of its own and return its status. When this shell is ended
# by a signal or dies, all processes in there are killed and their mounts vanish.
supervise() {
  local child rc=0
  setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- "$@" &
  child=$!
  trap 'kill_child "$child"; exit 130' INT
  trap 'kill_child "$child"; exit 143' TERM
  trap 'kill_child "$child"; exit 129' HUP
  wait "$child" || rc=$?
  trap - INT TERM HUP
  return "$rc"
}

# archive_url LABEL: the URL of the Debian archive with this label in the host's apt sources.
archive_url() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
    awk -F'|' -v l="$1" '$1 == "Debian" && $2 == l { sub("/$", "", $3); print $3; exit }'
}
