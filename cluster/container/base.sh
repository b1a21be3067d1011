#!/usr/bin/env bash
# Make the image localhost/isomix-base from Debian's packages, where no registry can be reached: Debian 12 with the
# libraries that isomix loads, to be given to build.sh as --base, together with --program. (The image takes the libraries
# only. systemd is there for the tests of cluster/systemd.)
#
#     cluster/container/base.sh            # makes the image
#     cluster/container/base.sh --archive  # makes its root file system only, and prints where it is
#
# The root file system is kept in ~/.cache/isomix-images and made once (1 to 2 minutes). Needs mmdebstrap, and root.
set -euo pipefail

packages=libzmq5,libopenblas0-pthread,libnetcdf19,libhdf5-103-1,libssl3,systemd,systemd-sysv
folder="${XDG_CACHE_HOME:-$HOME/.cache}/isomix-images"
archive="$folder/debian-12-$(printf '%s' "$packages" | sha256sum | cut -c1-12).tar"

say() { printf 'base: %s\n' "$*" >&2; }

case "${1-}" in
  "" | --archive) ;;
  *)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit $([[ $1 == --help || $1 == -h ]] && echo 0 || echo 64)
    ;;
esac

if [[ ! -s $archive ]]; then
  command -v mmdebstrap >/dev/null || { say "mmdebstrap is missing: apt-get install mmdebstrap"; exit 69; }
  mkdir -p -- "$folder"
  say "fetching Debian 12 with ${packages//,/, }"
  # Under another name until it is whole; its ending says what it is to be.
  part="$folder/part-$$.tar"
  trap 'rm -f -- "$part"' EXIT
  mmdebstrap --quiet --variant=essential --include="$packages" bookworm "$part" >&2
  mv -- "$part" "$archive"
fi
if [[ ${1-} == --archive ]]; then
  printf '%s\n' "$archive"
else
  podman import --quiet "$archive" localhost/isomix-base
fi
