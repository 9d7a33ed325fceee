#!/usr/bin/env bash
# One engine, two builders, one Dockerfile: what a RUN writes below a VOLUME is in one image and not in the other.
#
# Docker Engine 20.10.24 (Debian 12's docker.io), its classic builder and its BuildKit.
#
# Guess: both builders of one engine make the same files of the same Dockerfile; BuildKit is only faster.
# What happens: the classic builder runs each step in a container, where the volume lies over the folder, and throws
# away what was written there. BuildKit knows VOLUME as a word in the image's settings alone, and keeps it. So data
# that an image fills in after VOLUME shows up, or goes, with the choice of the builder. Neither says a word.
# (BuildKit's cache keeps the steps, 2 MB, after this script; everything else is removed.)
#
# Output seen:
#   classic:  before
#   BuildKit: after before
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
for name in sh sleep ls touch mkdir; do ln -s busybox "$tmp/files/bin/$name"; done
tar -c -C "$tmp/files" . | docker import - "$me" >/dev/null
echo "engine $version, busybox $(dpkg-deb -f "$tmp"/busybox-static_*.deb Version)"

mkdir "$tmp/context"
cp "$tmp/files/bin/busybox" "$tmp/context/"
cat >"$tmp/context/Dockerfile" <<'D'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "mkdir", "/data"]
RUN ["/bin/busybox", "touch", "/data/before"]
VOLUME /data
RUN ["/bin/busybox", "touch", "/data/after"]
D
build() {
  tar -c -C "$tmp/context" . | curl -sS --max-time 120 --unix-socket /var/run/docker.sock -X POST \
    -H 'Content-Type: application/x-tar' --data-binary @- \
    "http://engine/v1.41/build?version=$1&t=$me:v$1&networkmode=none&nocache=1&forcerm=1" >"$tmp/answer"
  if grep -q '"error"' "$tmp/answer"; then changed "builder $1: $(grep '"error"' "$tmp/answer")"; fi
}
files() { docker run --rm --network none --name "$me-ls" "$me:v$1" /bin/busybox ls /data | tr '\n' ' '; }
build 1
build 2
classic=$(files 1)
buildkit=$(files 2)
echo "classic:  $classic"
echo "BuildKit: $buildkit"
[ "$classic" = 'before ' ] || changed 'the classic builder keeps what was written after VOLUME'
[ "$buildkit" = 'after before ' ] || changed 'BuildKit does not keep what was written after VOLUME'
echo 'as described'
