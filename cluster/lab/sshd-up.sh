#!/usr/bin/env bash
# Starts a private sshd with keys of its own, and without passwords, in a folder. Needs root and openssh-server.
#
#   cluster/lab/sshd-up.sh FOLDER ADDRESS PORT        then: ssh -F FOLDER/ssh_config ADDRESS
#   kill "$(cat FOLDER/sshd-ADDRESS.pid)"
#
# NETNS=NAME starts it in this network namespace.
set -euo pipefail

folder=${1:?"usage: sshd-up.sh FOLDER ADDRESS PORT"}
address=${2:?"usage: sshd-up.sh FOLDER ADDRESS PORT"}
port=${3:?"usage: sshd-up.sh FOLDER ADDRESS PORT"}
within=()
if [[ -n ${NETNS:-} ]]; then within=(ip netns exec "$NETNS"); fi

[[ -x /usr/sbin/sshd ]] || {
  echo "sshd-up: there is no sshd: run cluster/bootstrap.sh --tests" >&2
  exit 69
}
mkdir -p "$folder" /run/sshd
chmod 700 "$folder"
[[ -f $folder/host ]] || ssh-keygen -q -t ed25519 -N '' -f "$folder/host"
if [[ ! -f $folder/id ]]; then
  ssh-keygen -q -t ed25519 -N '' -f "$folder/id"
  cp "$folder/id.pub" "$folder/authorized_keys"
fi
cat >"$folder/sshd_config-$address" <<CONF
ListenAddress $address
Port $port
HostKey $folder/host
PidFile $folder/sshd-$address.pid
AuthorizedKeysFile $folder/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100:30:200
AcceptEnv ISOMIX_* XDG_CACHE_HOME TMPDIR OPENBLAS_NUM_THREADS
CONF
cat >"$folder/ssh_config" <<CONF
Host *
  Port $port
  User root
  IdentityFile $folder/id
  IdentitiesOnly yes
  UserKnownHostsFile $folder/known_hosts
  StrictHostKeyChecking accept-new
  BatchMode yes
  LogLevel ERROR
  SendEnv XDG_CACHE_HOME TMPDIR OPENBLAS_NUM_THREADS
CONF
"${within[@]}" /usr/sbin/sshd -f "$folder/sshd_config-$address" -E "$folder/sshd-$address.log"
for ((tries = 0; tries < 100; tries++)); do
  [[ -s $folder/sshd-$address.pid ]] && exit 0
  sleep 0.05
done
tail "$folder/sshd-$address.log" >&2
exit 1
