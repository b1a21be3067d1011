#!/usr/bin/env bash
# Install what isomix needs from Debian, where it is missing, and check Swift. Run it as root or as a
# user with sudo, as often as you like: with everything there it does nothing and says nothing.
# With --tests it also installs what only tests need; it goes on without if it can't.
set -euo pipefail

repository="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"

packages=(
  ca-certificates git     # fetching the package's dependencies
  pkg-config              # finding the libraries below
  libzmq3-dev             # messages between coordinator and workers
  libopenblas-dev         # matrix multiplication
  libssl-dev              # digests
  libnetcdf-dev           # fit.nc, for ArviZ
  libhdf5-dev             # reading HDF5 tables
)

test_packages=(
  iproute2                # network namespaces, to cut links between real processes
  nftables                # dropping packets in them
  slurmctld slurmd slurm-client munge   # a Slurm with several nodes on this machine (cluster/lab)
  openssh-server openssh-client         # hosts that are reached by ssh
  python3-pip             # fetching an interpreter of Stan programs
  python3-zmq             # a foreign peer that has keys and talks nonsense
  python3-venv            # ArviZ and CmdStanPy from PyPI, to read what fits write (cluster/python.sh)
  chromium                # looking at reports
  podman buildah runc     # containers, with what runs them
  netavark aardvark-dns   # networks of containers, and their names
  iptables                # which netavark asks for
  catatonit               # what holds a pod together
  mmdebstrap              # a root file system for the image, in a registry's place
  fonts-dejavu-core       # a font to look at them with
)

say() { printf 'bootstrap: %s\n' "$*"; }
fail() {
  printf 'bootstrap: %s\n' "$@" >&2
  exit 1
}

installed() {
  [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# Installs nothing, and asks for no rights, unless a package is missing.
install_missing_packages() {
  local package as_root=() missing=()
  for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
  done
  if [[ ${#missing[@]} -eq 0 ]]; then return; fi

  if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null ||
      fail "missing: ${missing[*]}" "run this as root, or install sudo, or ask an administrator for them"
    as_root=(sudo)
  fi
  say "installing from Debian: ${missing[*]}"
  # `env`, because sudo drops variables; stdin closed, so that no package can stop to ask.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
    say "the package lists could not all be refreshed; trying with those at hand"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null ||
    fail "apt-get could not install ${missing[*]}: see its message above"
  say "installed ${#missing[@]} package(s)"
}

check_swift() {
  local hint="get a toolchain for this system from https://www.swift.org/install/linux/ and put its usr/bin on PATH"
  local minimum found
  minimum="$(sed -n '1s/.*swift-tools-version: *//p' "$repository/Package.swift")"
  command -v swift >/dev/null || fail "no 'swift' on PATH; Swift $minimum or newer is needed" "$hint"
  # `swift --version` says "Swift version 6.1 (swift-6.1-RELEASE)".
  found="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p')" || true
  [[ -n $found ]] || fail "'swift --version' does not work ($(command -v swift)); run it by hand to see why" "$hint"
  printf '%s\n' "$minimum" "$found" | sort --check=quiet --version-sort ||
    fail "found Swift $found ($(command -v swift)), but $minimum or newer is needed" "$hint"
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  fail "this script knows Debian and its relatives only; elsewhere, install by hand what these packages hold:" \
    "${packages[*]}"
fi
install_missing_packages
if [[ ${1-} == --tests ]]; then
  # In a subshell, which is all that a failure ends.
  (
    packages=("${test_packages[@]}")
    install_missing_packages
  ) || say "going on without: the tests that need them are skipped and say so"
fi
check_swift
