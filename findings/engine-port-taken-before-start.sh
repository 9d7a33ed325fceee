#!/usr/bin/env bash
# A published port takes connections before the program behind it is started, and holds them for long.
#
# Docker Engine 20.10.24 (Debian 12's docker.io) with docker-proxy, which is the default.
#
# Guess: a TCP probe of a published port is refused until the program listens; or, knowing that a proxy stands before
# it, the connection is closed at once as long as nobody listens.
# What happens: the proxy listens while the engine still sets up the container, half a second or more before the first
# process exists. A connection of that time is taken and stays open for about a second, mostly past the start, then it
# is closed without a byte; here nothing ever listens. Later ones are closed within milliseconds. So for a probe that
# only connects, a container is ready before it runs; and one that waits a bit for a hang-up is wrong about the first.
#
# Output seen:
#   first connection: begun 457 ms before the start of the program, held 1028 ms
#   the next 20: held 3 ms (median); bytes in all: 0
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

docker create -p 127.0.0.1::8080 --name "$me-choose" "$me" sleep 60 >/dev/null
docker start "$me-choose" >/dev/null
port=$(docker port "$me-choose" 8080/tcp | sed 's/.*://')
docker rm -f "$me-choose" >/dev/null
docker create -p "127.0.0.1:$port:8080" --name "$me-deaf" "$me" sleep 60 >/dev/null

now() { echo "${EPOCHREALTIME/[.,]/}"; }
(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && changed 'the port is taken before the start'
docker start "$me-deaf" >/dev/null &
start=$!
begun=()
held=()
bytes=0
give_up=$(($(now) + 60000000))
while [ "${#held[@]}" -lt 21 ] && [ "$(now)" -lt "$give_up" ]; do
  at=$(now)
  if ! { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; then continue; fi
  status=0
  # 0 is a byte, 1 the end of what can be read, above 128 the time limit.
  read -r -t 20 -n 1 -u 3 || status=$?
  [ "$status" -le 128 ] || changed 'a connection stayed open for 20 s'
  [ "$status" -ne 0 ] || bytes=$((bytes + 1))
  begun+=("$at")
  held+=($(($(now) - at)))
  exec 3>&-
done
wait "$start"
[ "${#held[@]}" -eq 21 ] || changed "only ${#held[@]} connections were taken while nothing listens"
started=$(date -d "$(docker inspect -f '{{.State.StartedAt}}' "$me-deaf")" +%s%6N)
mapfile -t sorted < <(printf '%s\n' "${held[@]:1}" | sort -n)
echo "first connection: begun $(((started - begun[0]) / 1000)) ms before the start of the program," \
  "held $((held[0] / 1000)) ms"
echo "the next 20: held $((sorted[10] / 1000)) ms (median); bytes in all: $bytes"
[ "${begun[0]}" -lt "$started" ] || changed 'the port is refused until the program is started'
[ "${held[0]}" -gt $((sorted[10] * 5)) ] || changed 'the first connection is held no longer than later ones'
[ "$bytes" -eq 0 ] || changed 'something answered'
echo 'as described'
