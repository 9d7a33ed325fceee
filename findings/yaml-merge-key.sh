#!/usr/bin/env bash
# One manifest with a merge key (`<<`) is two manifests: some readers merge, and others see a key named `<<`.
#
# npm yaml 2.9.0, js-yaml 4.1.0 and 5.5.0; kubectl 1.20.2 (Debian 12's kubernetes-client).
#
# Guess: `<<: *base` is what everybody uses for common settings, so every reader in use merges it, as it does anchors.
# What happens: kubectl and js-yaml 4 merge. `yaml` does not unless asked (`{ merge: true }`), and js-yaml stopped with
# version 5. Those that do not merge say nothing: the settings are just not there, and there is one key too many.
#
# Output seen:
#   kubectl 1.20.2   {"level":"info","port":"80"}
#   js-yaml 4.1.0    {"level":"info","port":"80"}
#   js-yaml 5.5.0    {"<<":{"level":"info"},"port":"80"}
#   yaml 2.9.0       {"<<":{"level":"info"},"port":"80"}
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund yaml@2.9.0 js-yaml@4.1.0 js-yaml-5@npm:js-yaml@5.5.0 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
chmod 755 "$tmp"
apt-get download kubernetes-client >/dev/null 2>&1 || cannot 'apt-get download kubernetes-client failed (apt-get update?)'
dpkg -x kubernetes-client_*.deb deb
cat >try.mjs <<'JS'
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { load as load4 } from 'js-yaml';
import { load as load5 } from 'js-yaml-5';
import { parse } from 'yaml';

const same = (got, want, words) => {
  if (JSON.stringify(got) === JSON.stringify(want)) return;
  console.error(`CHANGED: ${words}`);
  process.exit(1);
};
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const kubectl = (...args) => execFileSync('deb/usr/bin/kubectl', args, { encoding: 'utf8', env: { HOME: process.cwd() } });
const text = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations: &base
    level: info
data:
  <<: *base
  port: "80"
`;
writeFileSync('map.yaml', text);
const readers = [
  ['kubectl ' + /GitVersion:"v([^"]+)"/.exec(kubectl('version', '--client'))?.[1],
    () => JSON.parse(kubectl('label', '--local', '-f', 'map.yaml', 'a=b', '-o', 'json')), true],
  ['js-yaml ' + version('js-yaml'), () => load4(text), true],
  ['js-yaml ' + version('js-yaml-5'), () => load5(text), false],
  ['yaml ' + version('yaml'), () => parse(text), false],
];
for (const [name, read, merges] of readers) {
  const { data } = read();
  console.log(name.padEnd(16), JSON.stringify(data));
  same('level' in data, merges, `${name} ${merges ? 'does not merge' : 'merges'}`);
}
console.log('as described');
JS
timeout 60 node try.mjs
