#!/usr/bin/env bash
# A restart that can not succeed stops the container all the same.
#
# Docker Engine 20.10.24 (Debian 12's docker.io).
#
# Guess: what a restart needs (here: the container whose network is shared) is looked for first. Where it is missing the
# call is refused, and the program, which runs well, goes on.
# What happens: the engine stops, then looks. The call fails with words about the start alone, and what served is down.
# So `restart` is no way to find out whether a container could start again.
#
# Output seen:
#   before: running
#   restart: Error response from daemon: Cannot restart container …: No such container: …
#   after: exited
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

idle='trap "exit 0" TERM; while :; do sleep 0.1; done'
docker run -d --network none --name "$me-net" "$me" sh -c "$idle" >/dev/null
docker run -d --network "container:$me-net" --name "$me-program" "$me" sh -c "$idle" >/dev/null
docker rm -f "$me-net" >/dev/null
sleep 2
state() { docker inspect -f '{{.State.Status}}' "$me-program"; }
before=$(state)
status=0
docker restart -t 20 "$me-program" >"$tmp/words" 2>&1 || status=$?
after=$(state)
echo "before: $before"
echo "restart: $(sed -E 's/[0-9a-f]{64}/…/g' "$tmp/words" | tail -1)"
echo "after: $after"
[ "$before" = running ] || changed 'the program ends with the container whose network it shares'
[ "$status" -ne 0 ] || changed 'the restart succeeds'
[ "$after" = exited ] || changed 'the program survives a restart that fails'
echo 'as described'
