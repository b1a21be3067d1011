#!/usr/bin/env bash
# Ends what slurm-up.sh started in a folder: jobs, then daemons, by their process files.
set -uo pipefail

lab=${1:?"usage: slurm-down.sh FOLDER"}
export SLURM_CONF=$lab/etc/slurm.conf
read -ra spaces <<<"${NETNS:-}"

running() {
  local state
  state=$(ps -o stat= -p "$1" 2>/dev/null) && [[ ${state#Z} == "$state" ]]
}
within_head() { if ((${#spaces[@]} > 0)); then ip netns exec "${spaces[0]%%=*}" "$@"; else "$@"; fi; }

if [[ -s $lab/run/slurmctld.pid ]] && running "$(cat "$lab/run/slurmctld.pid")"; then
  within_head timeout 5 scancel --state=PENDING --user=root --user=nobody 2>/dev/null
  mapfile -t jobs < <(within_head timeout 5 squeue --noheader --format=%A 2>/dev/null | sort -u)
  if ((${#jobs[@]} > 0)); then
    within_head timeout 5 scancel "${jobs[@]}" 2>/dev/null
    for ((tries = 0; tries < 50; tries++)); do
      [[ -z $(within_head timeout 5 squeue --noheader --states=R,CG 2>/dev/null) ]] && break
      sleep 0.2
    done
  fi
fi

stop() {
  local process
  [[ -s $1 ]] || return 0
  process=$(cat "$1")
  running "$process" && kill "$process" 2>/dev/null
  for ((tries = 0; tries < 50; tries++)); do
    running "$process" || break
    sleep 0.1
  done
  running "$process" && kill -KILL "$process" 2>/dev/null
  rm -f "$1"
}
for file in "$lab"/run/slurmd-*.pid "$lab/run/slurmctld.pid" "$lab/run/munged.pid"; do stop "$file"; done
exit 0
