#!/usr/bin/env bash
# With an agent of one's own, docker-modem gets slower with every request under way: it prints them all for a log
# that is off.
#
# npm dockerode 5.0.1 with docker-modem 5.0.7.
#
# Guess: a debug log that nobody switched on costs nothing, and a call costs the same whatever else is under way.
# What happens: before each request its options are made into text, of any depth, and only then is the log asked
# whether it is on. The agent is one of the options, with every socket and request it holds. 100 open calls (waits,
# logs, events) make each further one cost a hundred times the CPU and more, and the event loop stands still meanwhile.
# An agent with an `inspect.custom` of its own that answers with a word ends that.
#
# Output seen (CPU a call, against none under way):
#    10 under way: 18 times
#   100 under way: 330 times
#   100 under way, the agent shown as a word: 0.74 times
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund dockerode@5.0.1 docker-modem@5.0.7 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import Docker from 'dockerode';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log('dockerode', version('dockerode'), 'docker-modem', version('docker-modem'));
const changed = (words) => {
  console.error(`CHANGED: ${words}`);
  process.exit(1);
};

// Stands for an engine: answers everything but `wait` at once.
const waiting = [];
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  if (request.url.includes('/wait')) waiting.push(response);
  else response.end('{}');
});
// The loop stands still for seconds below; no connection is to be given up for that.
Object.assign(server, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
await new Promise((resolve) => server.listen('engine.sock', resolve));
const agent = new http.Agent({ keepAlive: true });
const container = new Docker({ socketPath: 'engine.sock', agent }).getContainer('any');

async function cost(calls) {
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) await container.inspect();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}
const pending = [];
async function withUnderWay(count) {
  while (pending.length < count) pending.push(container.wait());
  while (waiting.length < count) await sleep(20);
  return cost(8);
}
await cost(100);
const alone = await cost(100);
const times = (value) => Number((value / alone).toPrecision(2));
const ten = await withUnderWay(10);
console.log(' 10 under way:', times(ten), 'times');
const hundred = await withUnderWay(100);
console.log('100 under way:', times(hundred), 'times');
agent[inspect.custom] = () => 'agent';
const word = await cost(50);
console.log('100 under way, the agent shown as a word:', times(word), 'times');

for (const response of waiting) response.end('{}');
await Promise.all(pending);
agent.destroy();
server.close();
if (hundred < alone * 10) changed('calls under way hardly make others dearer');
if (hundred < word * 10) changed('what the agent prints as makes hardly a difference');
console.log('as described');
JS
timeout 120 node try.mjs
