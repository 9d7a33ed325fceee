import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeView } from '../api/fake-view.ts';
import { program } from '../api/socket.ts';
import { cli } from './cli.ts';

test('send and watcher ask the program through the host', async (t) => {
  const bodies: string[] = [];
  const own = await program(t, (req, res) => {
    let body = '';
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', () => {
      bodies.push(body);
      const answers: Record<string, object> = {
        '/watcher/message': { status: 'message sent' },
        '/watcher/status': { state: 'Ready', isRunning: true },
        '/watcher/varState': { vars: { price: 3 } },
      };
      const answer = answers[req.url ?? ''];
      res.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
      res.end(answer === undefined ? 'no such page' : JSON.stringify(answer));
    });
  });
  const { run } = await cli(t, [
    fakeView('web', { port: own.port }),
    fakeView('off', { state: 'Stopped', desiredState: 'Stopped' }),
  ]);
  assert.deepEqual(await run('send', 'web', 'buy 3'), { code: 0, out: 'web: message sent\n', err: '' });
  assert.equal(bodies[0], '{"content":"buy 3"}');
  assert.equal((await run('watcher', 'web')).out, 'state: Ready\nisRunning: true\n');
  assert.deepEqual(JSON.parse((await run('watcher', 'web', 'vars', '-o', 'json')).out), {
    vars: { price: 3 },
  });
  const older = await run('watcher', 'web', 'signals');
  assert.equal(older.code, 1);
  assert.match(
    older.err,
    /web does not tell that: it serves no \/watcher\/signals \(no such page\)\nIt may be no Hersh/,
  );
  assert.match((await run('watcher', 'web', 'varz')).err, /One of status, vars/);
  const off = await run('send', 'off', 'x');
  assert.equal(off.code, 5);
});

test('open and ui print the address, and show it only where somebody sees it', async (t) => {
  const { call, run, launched, port } = await cli(t, [fakeView('web'), fakeView('new', { port: 0 })]);
  assert.equal((await run('open', 'web')).out, 'http://localhost:19005\n');
  assert.equal((await run('ui')).out, `http://127.0.0.1:${port}/\n`);
  await call({ columns: 80, env: {} }, 'open', 'web');
  await call({ env: { DISPLAY: ':0' } }, 'open', 'web');
  assert.deepEqual(launched, []);
  await call({ columns: 80, env: { DISPLAY: ':0' } }, 'open', 'web');
  assert.deepEqual(launched, ['http://localhost:19005']);
  assert.equal((await run('open', 'new')).code, 1);
});
