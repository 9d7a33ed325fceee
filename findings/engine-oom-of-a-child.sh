#!/usr/bin/env bash
# A child that runs out of memory: the engine tells the event at once, and inspect denies it until the container ends.
#
# Docker Engine 20.10.24 (Debian 12's docker.io), cgroup v1. Engines from 26 on say `true` while it runs.
#
# Guess: `State.OOMKilled` tells what ended the container. So it is true as soon as there was an `oom` event, or, where
# the first process lives and ends well, never.
# What happens: while the container runs there is an `oom` event and `OOMKilled` is false; after it was stopped in good
# order, with exit code 0, `OOMKilled` is true. So "true" does not mean that the container died of it, and "false" in
# a container that runs does not mean that nothing was killed.
#
# Output seen:
#   child: status 137; oom events: 1
#   while it runs: running OOMKilled=false
#   after its end: exited OOMKilled=true code=0
set -euo pipefail

echo 'This needs a Docker engine on the local socket, and Debian for its static busybox.'
cannot() { echo "can not be run: $*" >&2; exit 2; }
changed() { echo "CHANGED: $*" >&2; exit 1; }
export DOCKER_HOST=unix:///var/run/docker.sock
version=$(docker version -f '{{.Server.Version}}' 2>&1) || cannot "no engine answers: $version"

tmp=$(mktemp -d)
me=finding-$(basename "$tmp" | tr 'A-Z.' 'a-z-')
clean() {
  docker ps -aq --filter "name=$me" | xargs -r docker rm -fv >/dev/null
  docker image ls -q "$me" | xargs -r docker image rm >/dev/null
  rm -rf "$tmp"
}
trap clean EXIT

# An image of the distribution's static busybox alone.
chmod 755 "$tmp"
(cd "$tmp" && apt-get download busybox-static) >/dev/null 2>&1 ||
  cannot 'apt-get download busybox-static failed (apt-get update?)'
dpkg -x "$tmp"/busybox-static_*.deb "$tmp/deb"
mkdir -p "$tmp/files/bin"
cp "$tmp/deb/bin/busybox" "$tmp/files/bin/"
for name in sh sleep; do ln -s busybox "$tmp/files/bin/$name"; done
tar -c -C "$tmp/files" . | docker import - "$me" >/dev/null
echo "engine $version, busybox $(dpkg-deb -f "$tmp"/busybox-static_*.deb Version)"

docker run -d --network none --memory 32m --memory-swap 32m --name "$me-oom" "$me" sh -c \
  'trap "exit 0" TERM; (s=0123456789; while :; do s=$s$s; done); echo "status $?"; while :; do sleep 0.1; done' \
  >/dev/null 2>&1
for _ in $(seq 300); do
  if docker logs "$me-oom" 2>/dev/null | grep -q status; then break; fi
  sleep 0.1
done
sleep 2
events=$(docker events --since 5m --until 0s --filter "container=$me-oom" --filter event=oom | wc -l)
running=$(docker inspect -f '{{.State.Status}} OOMKilled={{.State.OOMKilled}}' "$me-oom")
docker stop -t 20 "$me-oom" >/dev/null
ended=$(docker inspect -f '{{.State.Status}} OOMKilled={{.State.OOMKilled}} code={{.State.ExitCode}}' "$me-oom")
echo "child: $(docker logs "$me-oom" | grep status); oom events: $events"
echo "while it runs: $running"
echo "after its end: $ended"
[ "$events" -ge 1 ] || changed 'there is no oom event for a child'
[ "$running" = 'running OOMKilled=false' ] || changed 'OOMKilled is told while the container runs'
[ "$ended" = 'exited OOMKilled=true code=0' ] || changed 'OOMKilled is not told after a good end'
echo 'as described'
