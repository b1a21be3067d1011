#!/usr/bin/env bash
# More workers for a fit that runs in another Slurm job: a pool of them on every node.
# Written by `isomix launch slurm --join` from cluster/slurm/join.sh; cluster/slurm/README.md says how to change it.
#SBATCH --job-name={{job_name}}
#SBATCH --nodes={{nodes}}
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task={{cpus_per_node}}
#SBATCH {{whole_nodes}}
#SBATCH --time={{time}}
#SBATCH --partition={{partition}}
#SBATCH --output={{log}}
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --no-kill
{{{extra}}}

set -uo pipefail
{{{env_setup}}}

isomix={{isomix}}
output={{output}}
processes={{workers_per_node}}   # worker processes of a node; auto: as many as its cores
threads={{threads}}              # compute threads of each
wait_s={{wait}}                  # how long to wait for a coordinator that is not there yet, or gone

launch=$output.launch
mkdir -p "$launch/logs" || exit 73

# The other job makes the keys when it begins.
for ((tenths = 0; tenths < wait_s * 10; tenths++)); do
  [[ -s $launch/keys/authorized_workers ]] && break
  sleep 0.1
done

workers=
trap '[[ -z $workers ]] || kill -TERM "$workers" 2>/dev/null' TERM INT
cpus=${SLURM_CPUS_PER_TASK:-$SLURM_CPUS_ON_NODE}
export SRUN_CPUS_PER_TASK=$cpus
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 --cpus-per-task="$cpus" --kill-on-bad-exit=0 --wait=0 \
  --no-kill --open-mode=append --output="$launch/logs/workers-%j-%t.log" \
  "$isomix" worker --rendezvous "$output/rendezvous.json" --keys "$launch/keys" --processes "$processes" \
  --threads "$threads" --wait "$wait_s" </dev/null &
workers=$!
wait "$workers"
while kill -0 "$workers" 2>/dev/null; do wait "$workers"; done
wait "$workers"
