#!/usr/bin/env bash
# `docker logs --tail 1` of a long line gives the end of the line.
#
# Docker Engine 20.10.24 (Debian 12's docker.io), log driver json-file.
#
# Guess: the tail is counted in lines of the program's output, as `tail -n` would.
# What happens: the engine cuts output into pieces of 16 KiB before it is written, puts them together again when it
# is read, and counts the tail in pieces. The last "line" of a program that writes long ones (JSON, a stack trace) has
# lost its beginning, and nothing marks it.
#
# Output seen:
#   written: 2 lines, the last of 40000 characters
#   --tail 1: 1 line of 7232 characters
#   --tail 2: 1 line of 23616 characters
#   --tail 3: 1 line of 40000 characters
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
for name in sh sleep head tr; do ln -s busybox "$tmp/files/bin/$name"; done
tar -c -C "$tmp/files" . | docker import - "$me" >/dev/null
echo "engine $version, busybox $(dpkg-deb -f "$tmp"/busybox-static_*.deb Version)"

docker run --network none --log-driver json-file --name "$me-long" "$me" \
  sh -c 'echo first; head -c 40000 /dev/zero | tr "\0" x; echo' >/dev/null
tail_of() { docker logs --tail "$1" "$me-long"; }
chars() { tr -d '\n' | wc -c; }
echo "written: $(docker logs "$me-long" | wc -l) lines, the last of $(docker logs "$me-long" | sed 1d | chars) characters"
for n in 1 2 3; do echo "--tail $n: $(tail_of $n | wc -l) line of $(tail_of $n | chars) characters"; done
[ "$(docker logs "$me-long" | sed 1d | chars)" -eq 40000 ] || changed 'the log does not hold the whole line'
[ "$(tail_of 1 | chars)" -lt 40000 ] || changed '--tail 1 gives the whole line'
[ "$(tail_of 3 | chars)" -eq 40000 ] || changed 'three pieces are no longer the whole line'
echo 'as described'
