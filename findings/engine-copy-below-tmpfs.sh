#!/usr/bin/env bash
# `docker cp` into a tmpfs says that it worked, and the program never sees the file.
#
# Docker Engine 20.10.24 (Debian 12's docker.io).
#
# Guess: copying into a running container writes where the container would, mounts and all, or is refused.
# What happens: the engine writes below the mount, into the layer that the tmpfs covers, and reports success. The
# program sees an empty folder. Copying out again gives the file back, so a check by the same means is content; and what
# the program has written there can not be copied out.
#
# Output seen:
#   cp in: status 0
#   the program sees: (nothing)
#   cp out again: hello
#   cp out of what the program wrote: Error response from daemon: Could not find the file /scratch/own in container …
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
for name in sh sleep ls; do ln -s busybox "$tmp/files/bin/$name"; done
tar -c -C "$tmp/files" . | docker import - "$me" >/dev/null
echo "engine $version, busybox $(dpkg-deb -f "$tmp"/busybox-static_*.deb Version)"

docker run -d --network none --tmpfs /scratch --name "$me-tmpfs" "$me" \
  sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
echo hello >"$tmp/file"
status=0
docker cp "$tmp/file" "$me-tmpfs:/scratch/file" >/dev/null 2>&1 || status=$?
seen=$(docker exec "$me-tmpfs" ls /scratch)
docker cp "$me-tmpfs:/scratch/file" "$tmp/back" >/dev/null 2>&1 || true
docker exec "$me-tmpfs" sh -c 'echo mine >/scratch/own'
own=0
docker cp "$me-tmpfs:/scratch/own" "$tmp/own" >"$tmp/words" 2>&1 || own=$?
echo "cp in: status $status"
echo "the program sees: ${seen:-(nothing)}"
echo "cp out again: $(cat "$tmp/back" 2>/dev/null)"
echo "cp out of what the program wrote: $(cat "$tmp/words")"
[ "$status" -eq 0 ] || changed 'the copy is refused'
[ -z "$seen" ] || changed 'the program sees the file'
cmp -s "$tmp/file" "$tmp/back" || changed 'the file can not be copied out again'
[ "$own" -ne 0 ] || changed 'what the program wrote can be copied out'
echo 'as described'
