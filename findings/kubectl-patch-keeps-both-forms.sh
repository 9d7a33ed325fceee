#!/usr/bin/env bash
# A patch that gives a field another form leaves the old form beside it.
#
# kubectl 1.20.2 (Debian 12's kubernetes-client), strategic merge patch, the default of `kubectl patch`.
#
# Guess: the strategic patch knows the types. A probe by TCP takes the place of the probe by HTTP, a value from a secret
# that of the literal value, and a port with another protocol is another port, since 53/TCP and 53/UDP go together.
# What happens: forms that exclude each other by the API's own words are kept both, and ports are told apart by their
# number alone: a patch that adds 53/UDP turns 53/TCP into it, and what comes out is valid and lacks a port.
#
# Output seen:
#   readinessProbe: httpGet tcpSocket
#   env: name value valueFrom
#   ports: 53/UDP
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
chmod 755 "$tmp"
apt-get download kubernetes-client >/dev/null 2>&1 || cannot 'apt-get download kubernetes-client failed (apt-get update?)'
dpkg -x kubernetes-client_*.deb deb
cat >deployment.json <<'D'
{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "dns"},
 "spec": {"selector": {"matchLabels": {"app": "dns"}},
  "template": {"metadata": {"labels": {"app": "dns"}},
   "spec": {"containers": [{"name": "dns", "image": "dns",
    "env": [{"name": "KEY", "value": "literal"}],
    "ports": [{"containerPort": 53, "protocol": "TCP"}],
    "readinessProbe": {"httpGet": {"path": "/", "port": 8080}}}]}}}}
D
kubectl() { HOME=$tmp timeout 30 "$tmp/deb/usr/bin/kubectl" "$@"; }
echo "kubectl $(kubectl version --client | grep -o 'GitVersion:"[^"]*"' | cut -d'"' -f2)"
container='{.spec.template.spec.containers[0]'
# $1: what the patch says of the container; $2: what is shown of the outcome.
patched() {
  kubectl patch --local -f deployment.json -o "jsonpath=$container$2}" \
    -p "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"dns\",$1}]}}}}"
}
keys() { grep -oE '"(httpGet|tcpSocket|name|value|valueFrom)":' | tr -d '":' | sort -u | tr '\n' ' '; }
probe=$(patched '"readinessProbe":{"tcpSocket":{"port":8080}}' .readinessProbe | keys)
env=$(patched '"env":[{"name":"KEY","valueFrom":{"secretKeyRef":{"name":"keys","key":"first"}}}]' '.env[0]' | keys)
ports=$(patched '"ports":[{"containerPort":53,"protocol":"UDP"}]' '.ports[*].protocol')
echo "readinessProbe: $probe"
echo "env: $env"
echo "ports: 53/${ports// / 53\/}"
changed() { echo "CHANGED: $*" >&2; exit 1; }
[ "$probe" = 'httpGet tcpSocket ' ] || changed 'one form of a probe takes the place of another'
[ "$env" = 'name value valueFrom ' ] || changed 'a reference takes the place of a literal value'
[ "$ports" = UDP ] || changed 'ports are told apart by protocol'
echo 'as described'
