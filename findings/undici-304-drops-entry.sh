#!/usr/bin/env bash
# Where a server's 304 repeats Cache-Control, undici's cache forgets the body: every other request is a full one.
#
# npm undici 7.30.2, its cache interceptor.
#
# Guess: a 304 freshens what is stored, so after the first answer there are only 304s. Repeating Cache-Control in a 304
# is what the standard asks of servers, so that is the normal case.
# What happens: that 304 is handed on well, and the entry is dropped. The next request is unconditional and gets the
# whole body. From a server whose 304 says nothing of caching the body comes once, as expected.
#
# Output seen (what the server answered to six requests):
#   304 with Cache-Control:    200 304 200 304 200 304
#   304 without Cache-Control: 200 304 304 304 304 304
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund undici@7.30.2 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, interceptors, request } from 'undici';

console.log('undici', JSON.parse(readFileSync('node_modules/undici/package.json', 'utf8')).version);
const changed = (words) => {
  console.error(`CHANGED: ${words}`);
  process.exit(1);
};
async function answers(notModified) {
  const sent = [];
  const server = http.createServer((question, answer) => {
    const known = question.headers['if-none-match'] === '"one"';
    sent.push(known ? 304 : 200);
    if (known) answer.writeHead(304, notModified).end();
    else answer.writeHead(200, { ETag: '"one"', 'Cache-Control': 'no-cache' }).end('body');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dispatcher = new Agent().compose(interceptors.cache());
  for (let i = 0; i < 6; i++) {
    const { statusCode, body } = await request(`http://127.0.0.1:${server.address().port}/`, { dispatcher });
    const text = await body.text();
    if (statusCode !== 200 || text !== 'body') changed(`the caller got ${statusCode} ${text}`);
    await sleep(100);
  }
  await dispatcher.close();
  server.closeAllConnections();
  server.close();
  return sent.join(' ');
}
const repeated = await answers({ ETag: '"one"', 'Cache-Control': 'no-cache' });
const silent = await answers({ ETag: '"one"' });
console.log('304 with Cache-Control:   ', repeated);
console.log('304 without Cache-Control:', silent);
if (repeated !== '200 304 200 304 200 304') changed('a 304 with Cache-Control no longer costs the entry');
if (silent !== '200 304 304 304 304 304') changed('a 304 without Cache-Control does not keep the entry');
console.log('as described');
JS
timeout 60 node try.mjs
