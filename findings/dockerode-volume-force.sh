#!/usr/bin/env bash
# `force` of a volume's removal is dropped on the way to the engine.
#
# npm dockerode 5.0.1.
#
# Guess: `remove({ force: true })` means the same for containers, images and volumes: it goes into the query.
# What happens: for containers and images it does. For volumes the call takes the option and asks without it, and the
# engine's refusal, if any, says nothing of an option that it never saw.
#
# Output seen:
#   DELETE /containers/a?force=true
#   DELETE /images/a?force=true
#   DELETE /volumes/a
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund dockerode@5.0.1 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import http from 'node:http';
import Docker from 'dockerode';

console.log('dockerode', JSON.parse(readFileSync('node_modules/dockerode/package.json', 'utf8')).version);
// Stands for an engine: notes what it is asked.
const asked = [];
const server = http.createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  response.setHeader('Content-Type', 'application/json');
  response.end('{}');
});
await new Promise((resolve) => server.listen('engine.sock', resolve));
const docker = new Docker({ socketPath: 'engine.sock' });
for (const thing of [docker.getContainer('a'), docker.getImage('a'), docker.getVolume('a')]) {
  // The engine's status for a removal differs by the kind; only the question counts here.
  await thing.remove({ force: true }).catch(() => undefined);
}
server.closeAllConnections();
server.close();
for (const line of asked) console.log(line);
const forced = asked.map((line) => line.includes('force='));
if (forced.join() !== 'true,true,false') {
  console.error('CHANGED: who sends force is another now');
  process.exit(1);
}
console.log('as described');
JS
timeout 60 node try.mjs
