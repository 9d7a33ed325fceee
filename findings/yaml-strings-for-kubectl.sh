#!/usr/bin/env bash
# Strings that `yaml` writes are booleans and numbers for kubectl.
#
# npm yaml 2.9.0 and js-yaml 4.1.0 as writers; kubectl 1.20.2 (Debian 12's kubernetes-client) as reader.
#
# Guess: a writer puts quotes around every string that a reader in use could take for something else, so manifests made
# by a library from an object of strings are the same strings for kubectl.
# What happens: `yaml` writes for readers of YAML 1.2 alone: `yes`, `on` and `1_000` stand there bare. kubectl reads
# them by the rules of 1.1, so a ConfigMap's strings become true and 1000, which its type does not allow. js-yaml quotes
# them all. `stringify(value, { compat: 'yaml-1.1' })` does so too, but it has to be asked.
#
# Output seen:
#   written by             yes     on      y       1_000   0b11    0644
#   yaml 2.9.0             true    true    true    1000    3       "0644"
#   yaml 2.9.0, compat     "yes"   "on"    "y"     "1_000" "0b11"  "0644"
#   js-yaml 4.1.0          "yes"   "on"    "y"     "1_000" "0b11"  "0644"
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund yaml@2.9.0 js-yaml@4.1.0 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
chmod 755 "$tmp"
apt-get download kubernetes-client >/dev/null 2>&1 || cannot 'apt-get download kubernetes-client failed (apt-get update?)'
dpkg -x kubernetes-client_*.deb deb
cat >try.mjs <<'JS'
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dump } from 'js-yaml';
import { stringify } from 'yaml';

const same = (got, want, words) => {
  if (JSON.stringify(got) === JSON.stringify(want)) return;
  console.error(`CHANGED: ${words}`);
  process.exit(1);
};
const version = (name) => name + ' ' + JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const kubectl = (...args) => execFileSync('deb/usr/bin/kubectl', args, { encoding: 'utf8', env: { HOME: process.cwd() } });
console.log('reader: kubectl', /GitVersion:"v([^"]+)"/.exec(kubectl('version', '--client'))?.[1]);

const strings = ['yes', 'on', 'y', '1_000', '0b11', '0644'];
const map = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings' },
  data: Object.fromEntries(strings.map((s, i) => ['k' + i, s])),
};
const show = (name, cells) => console.log(name.padEnd(22), ...cells.map((c) => c.padEnd(7)));
const read = (name, text) => {
  writeFileSync('map.yaml', text);
  const back = JSON.parse(kubectl('label', '--local', '-f', 'map.yaml', 'a=b', '-o', 'json')).data;
  const values = strings.map((_, i) => back['k' + i]);
  show(name, values.map((v) => JSON.stringify(v)));
  return values;
};
show('written by', strings);
const plain = read(version('yaml'), stringify(map));
const compat = read(version('yaml') + ', compat', stringify(map, { compat: 'yaml-1.1' }));
const other = read(version('js-yaml'), dump(map));
same(plain, [true, true, true, 1000, 3, '0644'], 'kubectl reads other values of what yaml wrote');
same([compat, other], [strings, strings], 'what was quoted is not read as it was');
console.log('as described');
JS
timeout 60 node try.mjs
