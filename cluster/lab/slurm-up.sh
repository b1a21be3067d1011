#!/usr/bin/env bash
# Starts a private Slurm with several emulated nodes on this machine: own daemons, ports, keys and state in one folder.
# Needs root and the Debian packages slurmctld, slurmd, slurm-client and munge (cluster/bootstrap.sh --tests). Run it as
# often as you like; it starts what does not run.
#
#   cluster/lab/slurm-up.sh FOLDER          then: export SLURM_CONF=FOLDER/etc/slurm.conf; sinfo
#   cluster/lab/slurm-down.sh FOLDER
#
# Variables: NODES (4), CPUS of each (4), PORT (16817: the controller's; the nodes have those that follow).
# NETNS="head=ADDRESS one=ADDRESS two=ADDRESS …" puts controller and nodes into network namespaces of these names, each
# with the address given; nodes are then hosts of their own, node1, node2, …, as far as they can see.
set -euo pipefail

lab=${1:?"usage: slurm-up.sh FOLDER"}
cpus=${CPUS:-4}
port=${PORT:-16817}
host=$(hostname -s)
read -ra spaces <<<"${NETNS:-}"
nodes=${NODES:-4}
if ((${#spaces[@]} > 0)); then nodes=$((${#spaces[@]} - 1)); fi

for tool in slurmctld slurmd munged sinfo; do
  command -v "$tool" >/dev/null || {
    echo "slurm-up: there is no $tool: run cluster/bootstrap.sh --tests" >&2
    exit 69
  }
done

# A zombie is not alive: some first processes reap late.
running() {
  local state
  state=$(ps -o stat= -p "$1" 2>/dev/null) && [[ ${state#Z} == "$state" ]]
}
alive() { [[ -s $1 ]] && running "$(cat "$1")"; }
# Runs a command in the n-th namespace, 0 for the controller's.
within() {
  local index=$1
  shift
  if ((${#spaces[@]} > 0)); then ip netns exec "${spaces[index]%%=*}" "$@"; else "$@"; fi
}
address() { if ((${#spaces[@]} > 0)); then echo "${spaces[$1]#*=}"; else echo 127.0.0.1; fi; }

mkdir -p "$lab"/{etc,run,log,state,munge}
chmod 755 "$lab" "$lab"/{etc,run,log}
chmod 700 "$lab"/{munge,state}

# munge: own key and socket.
[[ -s $lab/munge/munge.key ]] || (umask 077 && head -c 128 /dev/urandom >"$lab/munge/munge.key")
if ! alive "$lab/run/munged.pid"; then
  rm -f "$lab"/run/munge.socket*
  munged --force --key-file="$lab/munge/munge.key" --socket="$lab/run/munge.socket" \
    --pid-file="$lab/run/munged.pid" --log-file="$lab/log/munged.log" --seed-file="$lab/munge/munged.seed" \
    --num-threads=2
fi

# The waits are short: a job is back in the queue after 6 s (cred_expire) and a node is down 30 s after it was last seen.
{
  cat <<CONF
ClusterName=lab
SlurmctldHost=$host($(address 0))
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$lab/run/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$lab/state
SlurmdSpoolDir=$lab/spool-%n
SlurmctldPidFile=$lab/run/slurmctld.pid
SlurmdPidFile=$lab/run/slurmd-%n.pid
SlurmctldLogFile=$lab/log/slurmctld.log
SlurmdLogFile=$lab/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2,requeue_setup_env_fail
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmdParameters=config_overrides
JobRequeue=1
KillWait=5
MinJobAge=600
InactiveLimit=0
Waittime=0
OverTimeLimit=0
SlurmctldTimeout=10
SlurmdTimeout=30
MaxArraySize=1001
TreeWidth=64
CONF
  for ((i = 1; i <= nodes; i++)); do
    if ((${#spaces[@]} > 0)); then
      echo "NodeName=node$i NodeHostname=node$i NodeAddr=$(address "$i") Port=$((port + 1)) CPUs=$cpus RealMemory=4000"
    else
      echo "NodeName=node$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + i)) CPUs=$cpus RealMemory=4000"
    fi
  done
  echo "PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=5"
  echo "PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF"
} >"$lab/etc/slurm.conf.new"
printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >"$lab/etc/cgroup.conf"
mv "$lab/etc/slurm.conf.new" "$lab/etc/slurm.conf"
chmod 644 "$lab"/etc/*.conf
export SLURM_CONF=$lab/etc/slurm.conf

{
  printf '127.0.0.1 localhost\n%s %s\n' "$(address 0)" "$host"
  for ((i = 1; i <= nodes; i++)); do echo "$(address "$i") node$i"; done
} >"$lab/etc/hosts"

alive "$lab/run/slurmctld.pid" || within 0 slurmctld -f "$SLURM_CONF" 2>>"$lab/log/start.log"
for ((i = 1; i <= nodes; i++)); do
  mkdir -p "$lab/spool-node$i"
  alive "$lab/run/slurmd-node$i.pid" && continue
  if ((${#spaces[@]} > 0)); then
    # A host name and a list of hosts of its own.
    within "$i" unshare --uts --mount sh -c \
      "mount --bind '$lab/etc/hosts' /etc/hosts && hostname node$i && exec slurmd -f '$SLURM_CONF' -N node$i" \
      2>>"$lab/log/start.log"
  else
    slurmd -f "$SLURM_CONF" -N "node$i" 2>>"$lab/log/start.log"
  fi
done

for ((tries = 0; tries < 150; tries++)); do
  up=$(within 0 sinfo --noheader --Node --partition=debug --states=idle,mixed,alloc --format=%N 2>/dev/null | wc -l)
  ((up == nodes)) && exit 0
  sleep 0.2
done
echo "slurm-up: the nodes did not come up" >&2
tail -n 20 "$lab"/log/*.log >&2
exit 1
