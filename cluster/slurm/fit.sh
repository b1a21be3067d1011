#!/usr/bin/env bash
# A fit as a Slurm job: the coordinator in this script, on the job's first node, and a pool of workers on every node.
# Written by `isomix launch slurm` from cluster/slurm/fit.sh; cluster/slurm/README.md says how to change it.
#SBATCH --job-name={{job_name}}
#SBATCH --nodes={{nodes}}
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task={{cpus_per_node}}
#SBATCH {{whole_nodes}}
#SBATCH --time={{time}}
#SBATCH --partition={{partition}}
#SBATCH --array={{array}}
#SBATCH --output={{log}}
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --no-kill
#SBATCH --signal=B:USR1@{{signal_margin}}
{{{extra}}}

set -uo pipefail
{{{env_setup}}}

isomix={{isomix}}
specs=({{specs}})
outputs=({{outputs}})
fit_options=({{fit_options}})
processes={{workers_per_node}}   # worker processes of a node; auto: as many as its cores
threads={{threads}}              # compute threads of each
interface={{interface}}          # network interface or address of the coordinator; *: all of them
wait_s={{wait}}                  # how long workers wait for a coordinator that is gone
most_requeues={{most_requeues}}

element=${SLURM_ARRAY_TASK_ID:-0}
spec=${specs[element]}
output=${outputs[element]}
launch=$output.launch
keys=$launch/keys-$SLURM_JOB_ID
restarts=${SLURM_RESTART_COUNT:-0}
begun=$launch/begun-$SLURM_JOB_ID
farewell_s=10

say() { printf '%s job %s on %s: %s\n' "$(date '+%F %T')" "$SLURM_JOB_ID" "$(hostname)" "$*"; }
alive() { kill -0 "$1" 2>/dev/null; }

# Waits for a process for at most so many seconds.
ends_within() {
  local tenths=$(($2 * 10))
  while alive "$1" && ((tenths-- > 0)); do sleep 0.1; done
  ! alive "$1"
}

mkdir -p "$launch/logs" || exit 73

# Keys of this job, which its later runs and jobs that join it use too; only their owner can read them.
if [[ ! -s $keys/authorized_workers ]]; then
  rm -rf "$keys"
  "$isomix" keys new "$keys" >/dev/null || exit
fi
ln -sfn "${keys##*/}" "$launch/keys"

# An earlier run of this job has left something to go on from, unless it ended before it began; what an older job
# left is moved aside by the fit.
resume=()
if ((restarts > 0)) && [[ $output/plan.json -nt $begun ]]; then
  resume=(--resume)
else
  : >"$begun"
fi

coordinator=
ending=
# Before the time limit: a checkpoint, then back into the queue.
trap 'ending=limit; [[ -z $coordinator ]] || kill -USR1 "$coordinator" 2>/dev/null' USR1
# Preemption, or somebody cancels the job: a checkpoint.
trap 'ending=${ending:-stop}; [[ -z $coordinator ]] || kill -TERM "$coordinator" 2>/dev/null' TERM INT

say "run $((restarts + 1)) on $SLURM_JOB_NUM_NODES node(s) ($SLURM_JOB_NODELIST)${resume[*]:+, resuming}"
"$isomix" fit "$spec" --output "$output" --workers 0 --listen "tcp://$interface:0" --keys "$keys" \
  --progress plain "${fit_options[@]}" "${resume[@]}" </dev/null &
coordinator=$!
[[ -z $ending ]] || kill -TERM "$coordinator" 2>/dev/null

# A task or node that is lost takes no other one with it. srun does not take the job's --cpus-per-task over.
cpus=${SLURM_CPUS_PER_TASK:-$SLURM_CPUS_ON_NODE}
export SRUN_CPUS_PER_TASK=$cpus
start_workers() {
  srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 --cpus-per-task="$cpus" --kill-on-bad-exit=0 --wait=0 \
    --no-kill --open-mode=append --output="$launch/logs/workers-%j-%t.log" \
    "$isomix" worker --rendezvous "$output/rendezvous.json" --keys "$keys" --processes "$processes" \
    --threads "$threads" --wait "$wait_s" </dev/null &
  workers=$!
}
start_workers

# The workers' step may end as a whole (killed, out of memory, a daemon restarted) while the coordinator goes on: it is
# started again, at once and then ever later. One that ends well ends with the run.
pause_s=1
while alive "$coordinator"; do
  # In the background, because a trap ends `wait` early.
  sleep 1 &
  wait $!
  if [[ -z $workers ]] || alive "$workers"; then continue; fi
  wait "$workers"
  code=$?
  workers=
  if ((code == 0)) || ends_within "$coordinator" "$pause_s" || [[ -n $ending ]]; then continue; fi
  say "the workers' step ended with code $code while the coordinator goes on: it is started again"
  pause_s=$((pause_s < 30 ? 2 * pause_s : 60))
  start_workers
done
wait "$coordinator"
code=$?
say "the coordinator ended with code $code"

if [[ -n $workers ]]; then
  if ((code == 0)); then ends_within "$workers" 5; fi
  kill -TERM "$workers" 2>/dev/null
  # A node that does not answer does not keep the job.
  ends_within "$workers" "$farewell_s" || kill -KILL "$workers" 2>/dev/null
fi

if ((code == 75)) && [[ $ending == limit ]]; then
  if [[ ! $output/plan.json -nt $begun ]] && ((restarts >= 3)); then
    say "the time limit came $((restarts + 1)) times before the fit began: give the job more time (--time)"
  elif ((restarts < most_requeues)); then
    say "back into the queue, to go on from the checkpoint"
    scontrol requeue "$SLURM_JOB_ID"
    requeued=$?
    # Slurm ends this script and all that it runs, maybe while it still asks; the next run exits with the coordinator's
    # code.
    if ((requeued == 0 || requeued > 128)); then
      sleep 30
      exit 75
    fi
    say "the job could not be requeued"
  else
    say "requeued $restarts times already (--most-requeues)"
  fi
elif ((code == 75)); then
  # Preempted with a grace time: Slurm requeues the job at its end, unless it has ended by then. A cancelled job, or
  # one without such a time, is not running any more.
  for ((tenths = 0; tenths < 3000; tenths++)); do
    [[ $(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T 2>/dev/null) == RUNNING ]] || break
    sleep 0.1
  done
fi
if ((code == 75)); then
  say "to go on: submit the same again with --resume among the fit's options"
else
  rm -rf "$keys" "$begun"
  [[ $(readlink "$launch/keys") != "${keys##*/}" ]] || rm -f "$launch/keys"
fi
exit "$code"
