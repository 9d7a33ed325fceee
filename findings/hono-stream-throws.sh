#!/usr/bin/env bash
# A stream of hono whose callback throws half way arrives as a complete 200.
#
# npm hono 4.13.0 with @hono/node-server 2.1.0.
#
# Guess: the status is out already, so the connection is cut and the client sees a broken answer; or `onError` is asked.
# What happens: the error is printed on stderr, the stream is closed in good order, and the client has a complete
# answer that lacks its second half. `onError` of the app is not called. A plain ReadableStream that errors cuts the
# connection, as it should. So logs, exports or proxied bodies made with `stream()` can be short and look whole.
#
# Output seen:
#   stream():       {"status":200,"body":"half","complete":true}
#   ReadableStream: {"status":200,"body":"half","complete":false,"code":"ECONNRESET"}
#   onError called: 0 times
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund hono@4.13.0 @hono/node-server@2.1.0 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { stream } from 'hono/streaming';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log('hono', version('hono'), '@hono/node-server', version('@hono/node-server'));
const app = new Hono();
let told = 0;
app.onError((_, c) => {
  told++;
  return c.text('failed', 500);
});
app.get('/stream', (c) =>
  stream(c, async (body) => {
    await body.write('half');
    await sleep(100);
    throw new Error('the source broke');
  }),
);
app.get('/plain', () => {
  let begun = false;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (begun) {
          await sleep(100);
          controller.error(new Error('the source broke'));
        } else controller.enqueue(new TextEncoder().encode('half'));
        begun = true;
      },
    }),
  );
});
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
await new Promise((resolve) => server.once('listening', resolve));
const ask = (path) =>
  new Promise((resolve) =>
    http.get({ host: '127.0.0.1', port: server.address().port, path }, (response) => {
      let body = '';
      const done = (error) => resolve({ status: response.statusCode, body, complete: response.complete, code: error?.code });
      response.on('data', (part) => (body += part)).on('end', () => done()).on('error', done);
    }),
  );
// Both print the error; that is not the point here.
console.error = () => undefined;
const made = await ask('/stream');
const plain = await ask('/plain');
server.close();
console.log('stream():      ', JSON.stringify(made));
console.log('ReadableStream:', JSON.stringify(plain));
console.log('onError called:', told, 'times');
const fail = (words) => {
  process.stderr.write(`CHANGED: ${words}\n`);
  process.exit(1);
};
if (made.body !== 'half' || !made.complete || made.status !== 200) fail('a stream that throws is no complete 200');
if (plain.complete) fail('a ReadableStream that errors is complete');
if (told > 0) fail('onError is called');
console.log('as described');
JS
timeout 60 node try.mjs 2>errors.log || { grep CHANGED errors.log >&2 || tail -5 errors.log >&2; exit 1; }
