#!/usr/bin/env bash
# Install what is missing, build, and run the whole test suite. Arguments go on to `swift test`:
#
#     cluster/test.sh --filter MixturesTests
set -euo pipefail

repository="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '\ntest: %s\n' "$*"; }

"$repository/cluster/bootstrap.sh" --tests
"$repository/cluster/python.sh"

# An interpreter of Stan programs: one library, without what its Python interface needs.
stanli=stanli==0.24.0
if [[ ! -e $repository/.build/python/stanli ]]; then
  say "installing $stanli from PyPI"
  python3 -m pip install --quiet --no-deps --target "$repository/.build/python" "$stanli" ||
    say "going on without: the tests that need it are skipped and say so"
fi

# The root file system that the image is made from, kept for later runs.
if command -v mmdebstrap >/dev/null; then
  "$repository/cluster/container/base.sh" --archive >/dev/null || say "going on without a base for the image"
fi

# A release build, because tests that compute are tens of times slower in debug.
build=(--package-path "$repository" -c release)

say "building (release, with tests)"
swift build "${build[@]}" --build-tests

say "running the tests"
# OpenBLAS must be single-threaded from the start: tests run side by side, and one that made it so would change the
# bits of others that compute at the time.
export OPENBLAS_NUM_THREADS=1
# Without --disable-xctest SwiftPM also reports "Executed 0 tests": the suite is Swift Testing alone.
swift test "${build[@]}" --skip-build --disable-xctest "$@"
say "all tests passed"
