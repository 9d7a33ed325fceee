import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeView } from '../api/fake-view.ts';
import { cli } from './cli.ts';

/** An `ssh` that forwards nothing, and says so; or one that forwards, by Node. */
async function fakeSsh(dir: string, body: string): Promise<string> {
  const bin = join(dir, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'ssh'), `#!${process.execPath}\n${body}`);
  await chmod(join(bin, 'ssh'), 0o755);
  return bin;
}

test('ssh:// asks through a tunnel of ssh, which ends with the command; what ssh says is told', async (t) => {
  const { call, port, dir } = await cli(t, [fakeView('web')]);
  const forwards = `
const net = require('net');
const fs = require('fs');
fs.writeFileSync(${JSON.stringify(join(dir, 'argv'))}, process.argv.slice(2).join(' '));
const own = Number(process.argv[process.argv.indexOf('-L') + 1].split(':')[1]);
net.createServer((socket) => {
  const to = net.connect(${port}, '127.0.0.1');
  socket.pipe(to).pipe(socket);
  socket.on('error', () => {});
}).listen(own, '127.0.0.1');
process.on('SIGTERM', () => { fs.writeFileSync(${JSON.stringify(join(dir, 'gone'))}, ''); process.exit(); });
`;
  const PATH = `${await fakeSsh(dir, forwards)}:${process.env.PATH}`;
  const { code, out } = await call({ env: { HERSH_SERVER: 'ssh://me@box:2222', PATH } }, 'get');
  assert.equal(code, 0);
  assert.match(out, /web/);
  const argv = await readFile(join(dir, 'argv'), 'utf8');
  assert.match(argv, /^-N .*-L 127\.0\.0\.1:\d+:127\.0\.0\.1:9000 -p 2222 -- me@box$/);
  for (;;) if (await stat(join(dir, 'gone')).catch(() => undefined)) break;

  await fakeSsh(dir, `console.error('me@box: Permission denied (publickey).'); process.exit(255);`);
  const refused = await call({ env: { HERSH_SERVER: 'ssh://me@box', PATH } }, 'get');
  assert.equal(refused.code, 3);
  assert.match(refused.err, /no way to me@box: me@box: Permission denied \(publickey\)/);
});
