#!/usr/bin/env bash
# `docker logs --follow` ends in peace when the container's first run does, though its policy restarts it.
#
# Docker Engine 20.10.24 (Debian 12's docker.io).
#
# Guess: who follows a container under `--restart always` sees one run after another, since the log is one file that
# goes on, and the container as a whole was never stopped.
# What happens: the answer ends at the first exit, complete and with status 0, just as it does at a real end. The next
# runs write into the same log and nobody is told.
#
# Output seen:
#   followed: 1 run, then the end with status 0
#   in the log by now: 3 runs, state restarting
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

docker run -d --network none --restart always --name "$me-often" "$me" sh -c 'echo run; sleep 2; exit 1' >/dev/null
status=0
timeout 60 docker logs --follow "$me-often" >"$tmp/followed" || status=$?
[ "$status" -ne 124 ] || changed 'following goes on from run to run'
for _ in $(seq 300); do
  if [ "$(docker inspect -f '{{.RestartCount}}' "$me-often")" -ge 3 ]; then break; fi
  sleep 0.1
done
followed=$(grep -c run "$tmp/followed")
logged=$(docker logs "$me-often" | grep -c run)
echo "followed: $followed run, then the end with status $status"
echo "in the log by now: $logged runs, state $(docker inspect -f '{{.State.Status}}' "$me-often")"
[ "$status" -eq 0 ] || changed "following ended with status $status"
[ "$logged" -ge 3 ] || changed 'the container was not restarted'
[ "$followed" -eq 1 ] || changed "following gave $followed runs"
echo 'as described'
