#!/usr/bin/env bash
# From a clean clone to a fitted posterior: install what is missing, build, fit real data.
#
#     cluster/quickstart.sh [OUTPUT]
#
# OUTPUT is the folder for the result, by default .build/quickstart-fit in the repository. A folder
# that exists is left alone: a number is appended to the name.
set -euo pipefail

repository="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
spec="$repository/cluster/examples/breast-cancer-auto.yaml"

say() { printf '\nquickstart: %s\n' "$*"; }

case "${1-}" in
  -h | --help)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  -*)
    printf 'quickstart: unknown option %s; see --help\n' "$1" >&2
    exit 64
    ;;
esac
if [[ $# -gt 1 ]]; then
  printf 'quickstart: one output folder at most; see --help\n' >&2
  exit 64
fi

wanted="${1:-$repository/.build/quickstart-fit}"
wanted="${wanted%/}"
if [[ $wanted != /* ]]; then wanted="$PWD/$wanted"; fi
output="$wanted"
number=2
while [[ -e $output ]]; do
  output="$wanted-$number"
  number=$((number + 1))
done

"$repository/cluster/bootstrap.sh"

say "building isomix (release; the first build takes some minutes)"
swift build --package-path "$repository" -c release --product isomix
isomix="$(swift build --package-path "$repository" -c release --show-bin-path)/isomix"

mkdir -p -- "$(dirname -- "$output")"
say "fitting $spec"
"$isomix" fit "$spec" --output "$output"

say "done; the result is in $output
  mixture.json   the fitted posterior: components and their coordinates
  fit.nc         draws, densities and predictions for ArviZ
  summary.json   how the fit went: ELBO, test accuracy, seconds
  trace.csv      the way there, a row an evaluation
Draw from it:  $isomix sample $output
How good is it: $isomix diagnose $output
Next: the other specs, in $repository/cluster/examples"
