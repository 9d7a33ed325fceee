#!/usr/bin/env bash
# promtool calls a configuration valid whose pattern for rule files matches nothing.
#
# promtool 2.42.0 (Debian 12's prometheus).
#
# Guess: a file of rules that is named and missing is an error, so a pattern without a match is one too, or a warning.
# What happens: the missing file fails the check. The pattern passes: SUCCESS, exit code 0, no word that there are no
# rules. A folder that was renamed, or a wrong ending (`.yaml` for `.yml`), leaves a Prometheus without alerts that every
# check in CI has passed.
#
# Output seen:
#   rules/alerts.yml, which is not there: exit code 1
#   rules/*.yml while there is rules/alerts.yaml: exit code 0
#     SUCCESS: pattern.yml is valid prometheus config file syntax
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
changed() { echo "CHANGED: $*" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
chmod 755 "$tmp"
apt-get download prometheus >/dev/null 2>&1 || cannot 'apt-get download prometheus failed (apt-get update?)'
dpkg -x prometheus_*.deb deb
promtool() { timeout 30 "$tmp/deb/usr/bin/promtool" "$@"; }
promtool --version 2>&1 | sed -n 1p | cut -d' ' -f1-3

mkdir rules
printf 'groups:\n  - name: a\n    rules:\n      - alert: Down\n        expr: up == 0\n' >rules/alerts.yaml
printf 'rule_files:\n  - rules/alerts.yml\n' >named.yml
printf 'rule_files:\n  - rules/*.yml\n' >pattern.yml
named=0
pattern=0
promtool check config named.yml >named.out 2>&1 || named=$?
promtool check config pattern.yml >pattern.out 2>&1 || pattern=$?
echo "rules/alerts.yml, which is not there: exit code $named"
echo "rules/*.yml while there is rules/alerts.yaml: exit code $pattern"
grep SUCCESS pattern.out || true
[ "$named" -ne 0 ] || changed 'a missing file passes'
[ "$pattern" -eq 0 ] && grep -q SUCCESS pattern.out || changed 'a pattern that matches nothing does not pass'
echo 'as described'
