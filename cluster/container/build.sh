#!/usr/bin/env bash
# Build the image with podman. Everything is compiled in the image that --base names, which has Swift:
#
#     cluster/container/build.sh
#     cluster/container/build.sh --base registry.example.org/swift:6.1-bookworm --tag registry.example.org/isomix:0.1.0
#
# or a program that was built on Debian 12 is packed up with its libraries, which takes seconds; --base is then any Debian
# 12 with these libraries, for example the one that base.sh makes:
#
#     cluster/container/build.sh --base localhost/isomix-base --program .build/release/isomix
set -euo pipefail

repository="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
base="" program="" tag=localhost/isomix

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }
fail() {
  printf 'build: %s\n' "$*" >&2
  exit 64
}

while [[ $# -gt 0 ]]; do
  case "$1" in
    --help | -h) usage && exit 0 ;;
    --base | --program | --tag)
      [[ $# -ge 2 ]] || fail "$1 needs a value"
      case "$1" in
        --base) base="$2" ;;
        --program) program="$2" ;;
        --tag) tag="$2" ;;
      esac
      shift 2
      ;;
    *) fail "unknown option $1; see --help" ;;
  esac
done

context="$repository"
if [[ -n $program ]]; then
  [[ -x $program ]] || fail "$program is not a program"
  context="$(mktemp -d)"
  trap 'rm -rf -- "$context"' EXIT
  mkdir -p -- "$context/.build/container"
  cp -R -- "$repository/cluster" "$context/cluster"
  # What is no part of the repository.
  rm -rf -- "$context"/cluster/kubernetes/overlays/*/keys "$context/cluster/examples/data/flights"
  cp -- "$program" "$context/.build/container/isomix"
  # Swift's own libraries, which no package has: a program looks for them beside itself, too.
  ldd "$program" | sed -n 's/.* => \(\/[^ ]*\/swift\/[^ ]*\) (0x.*/\1/p' |
    xargs -r -I '{}' cp --dereference '{}' "$context/.build/container/"
fi
podman build --layers=false ${base:+--build-arg "BUILD_IMAGE=$base"} --tag "$tag" \
  --file "$repository/cluster/container/Containerfile" "$context"
