#!/bin/sh
# Runs in a container whose first process is systemd, with the units in /units, a key folder in /keys, the program in
# /usr/local/bin and a spec given: installs the service as its page says, lets a pool's worker compute for two fits, and shows
# what became of them. Fails at the first thing that does not go as it should.
set -eu

spec="$1" unit=isomix-worker@lab

until systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; do sleep 0.1; done
# As on a machine: a container's mounts are not shared, and credentials would not be seen.
mount --make-rshared /
mount --make-rshared /run
cp /units/*.service /units/*.slice /etc/systemd/system/
mkdir -m 0700 -p /etc/isomix/keys
cp /keys/worker.secret /keys/coordinator.public /etc/isomix/keys/
chown -R root:root /etc/isomix
mkdir -p /srv/isomix
echo ISOMIX_THREADS=2 >/etc/isomix/lab.env
systemctl daemon-reload
systemctl start "$unit"

show() { systemctl show --property "$1" --value "$unit"; }

fit() {
  isomix fit "$spec" --output /srv/isomix/lab --cache /srv/isomix/cache --workers 0 --listen tcp://127.0.0.1:0 \
    --keys /keys --progress none --worker-timeout 30
  grep -h state_sha256 /srv/isomix/lab/summary.json
}

fit
fit
echo "restarts $(show NRestarts)"

# It leaves well when it is told to.
until [ "$(show ActiveState)" = active ]; do sleep 0.1; done
systemctl stop "$unit"
echo "stopped $(show Result)"

# A secret of nobody whom the coordinator knows is no reason to try for ever.
isomix keys new /tmp/other >/dev/null
cp /tmp/other/worker.secret /etc/isomix/keys/
systemctl start "$unit"
isomix fit "$spec" --output /srv/isomix/lab --cache /srv/isomix/cache --workers 0 --listen tcp://127.0.0.1:0 \
  --keys /keys --progress none --worker-timeout 30 2>/dev/null &
coordinator=$!
tries=0
until [ "$(show ActiveState)" = failed ] || [ $tries -ge 100 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
kill $coordinator
echo "refused $(show ActiveState) $(show ExecMainStatus)"
