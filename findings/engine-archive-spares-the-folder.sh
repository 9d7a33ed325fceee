#!/usr/bin/env bash
# An archive that is unpacked into a container's folder sets owner and mode of all in it, and not of the folder itself.
#
# Docker Engine 20.10.24 (Debian 12's docker.io).
#
# Guess: `PUT /containers/{id}/archive` is a `tar -x` in that folder. An archive made by `tar -C state -c .` begins with
# the folder itself (`./`), so a state that is copied from one volume to another has the same owner and mode there.
# What happens: files and folders below take owner and mode of the archive, and `./` is passed over in silence: a folder
# that was 0700 of 1234 is 0755 of root in the copy, and a program that is 1234 can not write there any more. To set it,
# the archive has to be unpacked one folder higher, with the folder's name as an entry.
#
# Output seen:
#   unpacked at /data: folder 755 0:0, file 600 1234:1234
#   unpacked at /: folder 700 1234:1234
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
for name in sh sleep stat; do ln -s busybox "$tmp/files/bin/$name"; done
tar -c -C "$tmp/files" . | docker import - "$me" >/dev/null
echo "engine $version, busybox $(dpkg-deb -f "$tmp"/busybox-static_*.deb Version)"


docker create --network none --name "$me-box" "$me" sh -c 'stat -c "%a %u:%g" /data /data/file' >/dev/null
mkdir -p "$tmp/empty/data"
chmod 755 "$tmp/empty/data"
tar -C "$tmp/empty" --owner 0 --group 0 -c data | docker cp - "$me-box:/"
mkdir -p "$tmp/state"
echo kept > "$tmp/state/file"
chmod 700 "$tmp/state"
chmod 600 "$tmp/state/file"
put() {
  curl -sS --fail --unix-socket /var/run/docker.sock -X PUT -H 'Content-Type: application/x-tar' \
    --data-binary @- "http://engine/containers/$me-box/archive?path=$1"
}
tell() { docker start -a "$me-box" | paste -sd' ' | sed 's/\(.*\) \(.* .*\)/folder \1, file \2/'; }
tar -C "$tmp/state" --owner 1234 --group 1234 -c . | put /data
inside=$(tell)
echo "unpacked at /data: $inside"
tar -C "$tmp" --transform 's,^state,data,' --owner 1234 --group 1234 -c state | put /
above=$(tell)
echo "unpacked at /: ${above%%,*}"
[ "$inside" = 'folder 755 0:0, file 600 1234:1234' ] || changed 'the folder takes what the archive says of it'
[ "${above%%,*}" = 'folder 700 1234:1234' ] || changed 'a folder is not set from above'
echo 'as described'
