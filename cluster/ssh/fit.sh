#!/usr/bin/env bash
# A fit over ssh: the coordinator here, and a pool of workers on every host; without ssh, all of it on this machine.
# Written by `isomix launch ssh` or `isomix launch local` from cluster/ssh/fit.sh; cluster/ssh/README.md says how to
# change it.
{{{extra}}}

set -uo pipefail
{{{env_setup}}}

isomix={{isomix}}
spec={{spec}}
output={{output}}
fit_options=({{fit_options}})
ssh=({{ssh}})                    # what runs a command on a host; nothing: run it here
hosts=({{hosts}})
processes=({{processes}})        # worker processes of each host; auto: as many as its cores
remote_isomix={{remote_isomix}}
remote_setup={{remote_setup}}
threads={{threads}}              # compute threads of each process
interface={{interface}}          # network interface or address of the coordinator; *: all of them
time_s={{time_s}}                # seconds until the fit is stopped with a checkpoint; 0: never
wait_s={{wait}}                  # how long workers wait for a coordinator that does not answer
farewell_s=20
retry_s=5

launch=$output.launch
keys=$launch/keys-$$
rendezvous=$output/rendezvous.json

say() { printf 'isomix launch: %s\n' "$*" >&2; }
alive() { kill -0 "$1" 2>/dev/null; }
quote() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

mkdir -p "$launch/logs" || exit 73
# What a launcher that was killed has left.
rm -rf "$launch"/keys-*
"$isomix" keys new "$keys" >/dev/null || exit
ln -sfn "${keys##*/}" "$launch/keys"

# The lifeline: this process alone holds its writing end. When it is gone, in whatever way, all that read from the
# other end see the end of their input, here and on the hosts, and leave.
folder=$(mktemp -d "${TMPDIR:-/tmp}/isomix-launch-XXXXXX") || exit 73
mkfifo "$folder/lifeline" || exit 73
exec {hold}<>"$folder/lifeline"
exec {life}<"$folder/lifeline"
rm -r "$folder"

ending=
coordinator=
trap 'ending=stop; [[ -z $coordinator ]] || kill -TERM "$coordinator" 2>/dev/null' INT TERM HUP
forget_keys() {
  rm -rf "$keys"
  [[ $(readlink "$launch/keys") != "${keys##*/}" ]] || rm -f "$launch/keys"
}
trap forget_keys EXIT

# A terminal that closes is no reason to die without a checkpoint.
(
  trap '' HUP
  exec "$isomix" fit "$spec" --output "$output" --workers 0 --listen "tcp://$interface:0" --keys "$keys" --lifeline \
    "${fit_options[@]}"
) <&"$life" {hold}>&- &
coordinator=$!
[[ -z $ending ]] || kill -TERM "$coordinator" 2>/dev/null

# The address and port of the coordinator, once it has published them; the file of an earlier one names another process.
endpoint=
while alive "$coordinator" && [[ -z $endpoint ]]; do
  if grep -qsE "\"process_id\" *: *$coordinator\\b" "$rendezvous"; then
    endpoint=$(sed -nE 's|.*"tcp:\\?/\\?/([^"]+)".*|\1|p' "$rendezvous" | head -n 1)
  else
    sleep 0.05
  fi
done

# What a host runs. Without a given interface the coordinator is where the ssh connection comes from.
command_of() {
  local address=${endpoint%:*} port=${endpoint##*:} words=()
  printf '%s\n' "$remote_setup"
  if [[ $interface == '*' && ${#ssh[@]} -gt 0 ]]; then
    printf 'address=${SSH_CLIENT%%%% *}; case $address in *:*) address="[$address]";; esac\n'
  elif [[ $interface == '*' ]]; then
    printf 'address=127.0.0.1\n'
  else
    printf 'address=%s\n' "$(quote "$address")"
  fi
  words=("$remote_isomix" worker --keys - --lifeline --processes "$1" --threads "$threads" --wait "$wait_s")
  printf 'exec'
  for word in "${words[@]}"; do printf ' %s' "$(quote "$word")"; done
  printf ' --connect "tcp://$address:%s"\n' "$port"
}

# Runs a host's workers, with the keys as their first input and the lifeline behind; again when the connection is lost.
tend() {
  local host=$1 log=$3 command child= input feeder code
  trap '' INT HUP
  trap '[[ -z $child ]] || kill "$child" 2>/dev/null; exit 0' TERM
  command=$(command_of "$2")
  while alive "$$" && alive "$coordinator"; do
    exec {input}< <(
      cat "$keys/coordinator.public" "$keys/worker.secret"
      exec cat <&"$life"
    )
    feeder=$!
    if ((${#ssh[@]} > 0)); then
      "${ssh[@]}" "$host" "exec sh -c $(quote "$command")" <&"$input" >>"$log" 2>&1 &
    else
      sh -c "$command" <&"$input" >>"$log" 2>&1 &
    fi
    child=$!
    exec {input}<&-
    wait "$child"
    code=$?
    child=
    kill "$feeder" 2>/dev/null
    # Asked to leave, or the fit is over.
    ((code == 0)) && return
    alive "$$" && alive "$coordinator" || return
    say "the workers on $host ended with code $code (255: ssh itself); trying again in $retry_s s. See $log"
    # The end of the lifeline ends this wait, too.
    read -r -t "$retry_s" -u "$life" _
    (($? > 128)) || return
  done
}

tenders=()
if [[ -n $endpoint ]]; then
  for index in "${!hosts[@]}"; do
    log=$launch/logs/workers-$index-${hosts[index]//[^A-Za-z0-9.@-]/_}.log
    tend "${hosts[index]}" "${processes[index]}" "$log" {hold}>&- &
    tenders+=($!)
  done
fi

if ((time_s > 0)); then
  (
    trap '' INT HUP
    read -r -t "$time_s" -u "$life" _
    (($? > 128)) && kill -USR1 "$coordinator" 2>/dev/null
  ) {hold}>&- &
  timer=$!
fi

# A trap ends `wait` early; the exit code is the coordinator's in the end.
wait "$coordinator"
while alive "$coordinator"; do wait "$coordinator"; done
wait "$coordinator"
code=$?

# Nobody is left: the end of the lifeline, some time to leave, then by force.
exec {hold}>&-
for ((tenths = 0; tenths < farewell_s * 10; tenths++)); do
  left=0
  for tender in "${tenders[@]}"; do alive "$tender" && left=1; done
  ((left == 0)) && break
  sleep 0.1
done
for tender in "${tenders[@]}"; do kill -TERM "$tender" 2>/dev/null; done
exit "$code"
