#!/usr/bin/env bash
# A command that can not be started by exec: the call succeeds, and the engine's complaint is the command's own output.
#
# Docker Engine 20.10.24 (Debian 12's docker.io).
#
# Guess: `POST /exec/{id}/start` of a command that the container does not have is refused with 400 or 404, or it ends
# with 127, as in a shell, and a word on stderr.
# What happens: it answers 200, the words `OCI runtime exec failed …` come on the stream of stdout, where a script takes
# them for what the command printed, and the exit code is 126, "found, but can not be run". What tells it from a command
# that printed this and ended with 126 is that the exec never had a process: its Pid is 0.
#
# Output seen:
#   answer 200, stream 1 (stdout): OCI runtime exec failed
#   exit code 126, pid 0
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


engine() { curl -sS --unix-socket /var/run/docker.sock -H 'Content-Type: application/json' "$@"; }
docker run -d --init --network none --name "$me-box" "$me" sleep 600 >/dev/null
id=$(engine -d '{"Cmd": ["/no/such/command"], "AttachStdout": true, "AttachStderr": true}' \
  "http://engine/containers/$me-box/exec" | sed 's/.*"Id":"\([0-9a-f]*\)".*/\1/')
status=$(engine -d '{}' -o "$tmp/answer" -w '%{http_code}' "http://engine/exec/$id/start")
# Each piece has a head of eight bytes, whose first is the stream.
stream=$(od -An -tu1 -N1 "$tmp/answer" | tr -d ' ')
words=$(tail -c +9 "$tmp/answer" | grep -ao 'OCI runtime exec failed' | head -1)
end=$(engine "http://engine/exec/$id/json")
code=$(sed 's/.*"ExitCode":\([0-9]*\).*/\1/' <<<"$end")
pid=$(sed 's/.*"Pid":\([0-9]*\).*/\1/' <<<"$end")
echo "answer $status, stream $stream (stdout): $words"
echo "exit code $code, pid $pid"
[ "$status $stream" = '200 1' ] || changed 'it is refused, or told on stderr'
[ -n "$words" ] || changed 'the engine has other words'
[ "$code $pid" = '126 0' ] || changed 'the exit code is another, or there was a process'
echo 'as described'
