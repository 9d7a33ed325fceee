#!/usr/bin/env bash
# A reload signal takes a container's restart policy away.
#
# Docker Engine 20.10.24 (Debian 12's docker.io).
#
# Guess: `docker kill -s HUP` hands the signal on and nothing more. The program takes it as a wish to reload, runs
# on, and when it crashes an hour later `--restart always` brings it back.
# What happens: any signal sent through the engine counts as "somebody stopped it by hand", so the next exit, however
# late and of whatever kind, is its last. Inspect goes on to show the policy `always`. Where the container names a
# stop signal (`--stop-signal`, or STOPSIGNAL in the image), only that signal and SIGKILL count, and the policy lives.
#
# Output seen:
#   sent nothing:                          restarted=yes policy=always
#   sent HUP:                              restarted=no  policy=always status=exited code=3
#   sent HUP, with --stop-signal SIGTERM:  restarted=yes policy=always
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
for name in sh sleep touch; do ln -s busybox "$tmp/files/bin/$name"; done
tar -c -C "$tmp/files" . | docker import - "$me" >/dev/null
echo "engine $version, busybox $(dpkg-deb -f "$tmp"/busybox-static_*.deb Version)"

program='trap "echo reloaded" HUP; echo up; until [ -e /crash ]; do sleep 0.1; done; exit 3'
run() { docker run -d --network none --restart always --name "$me-$1" "${@:2}" "$me" sh -c "$program" >/dev/null; }
run plain
run hup
run named --stop-signal SIGTERM

# Waits until a container's output has a line.
told() {
  for _ in $(seq 100); do
    if docker logs "$me-$1" 2>/dev/null | grep -q "$2"; then return; fi
    sleep 0.1
  done
  changed "$1 did not say '$2'"
}
for c in plain hup named; do told "$c" up; done
for c in hup named; do
  docker kill -s HUP "$me-$c" >/dev/null
  told "$c" reloaded
  [ "$(docker inspect -f '{{.State.Running}}' "$me-$c")" = true ] || changed "$c ended at the signal"
done
for c in plain hup named; do docker exec "$me-$c" touch /crash; done

count() { docker inspect -f '{{.RestartCount}}' "$me-$1"; }
for _ in $(seq 200); do
  if [ "$(count plain)" -ge 2 ] && [ "$(count named)" -ge 2 ]; then break; fi
  sleep 0.1
done
policy() { docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' "$me-$1"; }
restarted() { if [ "$(count "$1")" -gt 0 ]; then echo yes; else echo no; fi; }
echo "sent nothing:                          restarted=$(restarted plain) policy=$(policy plain)"
echo "sent HUP:                              restarted=$(restarted hup)  policy=$(policy hup)" \
  "$(docker inspect -f 'status={{.State.Status}} code={{.State.ExitCode}}' "$me-hup")"
echo "sent HUP, with --stop-signal SIGTERM:  restarted=$(restarted named) policy=$(policy named)"
[ "$(restarted plain)" = yes ] || changed 'a crash is not restarted at all'
[ "$(restarted hup)$(policy hup)" = noalways ] || changed 'a container that was sent HUP is restarted after a crash'
[ "$(restarted named)" = yes ] || changed 'a named stop signal no longer keeps the policy alive'
echo 'as described'
