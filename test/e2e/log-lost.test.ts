import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { request } from 'undici';
import { ROOT } from '../setup/host-settings.ts';
import { until } from './until.ts';

/** A host whose own log goes nowhere, from its first line on. No engine is needed: it says so in that log. */

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'e2e-log-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs a host with this standard output: `/metrics` once it is up, and how it ends by SIGTERM. */
async function runHost(name: string, stdout: number): Promise<{ metrics: string; ended: unknown[] }> {
  const port = await freePort();
  const own = ['--registry', join(folder, name), '--instance', `log-${name}-${process.pid}`];
  const argv = ['controller/start.mjs', '--port', `${port}`, ...own];
  const env = { ...process.env, DOCKER_HOST: `unix://${join(folder, 'no.sock')}` };
  const child = spawn(process.execPath, argv, { cwd: ROOT, env, stdio: ['ignore', stdout, 'inherit'] });
  const ended = once(child, 'exit');
  try {
    const metrics = await until('the host answers', async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      const answer = await request(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
      return answer?.body.text();
    });
    child.kill('SIGTERM');
    await until('the host ends', () => child.exitCode !== null || child.signalCode !== null);
    return { metrics, ended: await ended };
  } finally {
    child.kill('SIGKILL');
  }
}

/** A pipe, both ends open in this process. */
function pipe(name: string): { reader: number; writer: number } {
  const path = join(folder, `${name}.fifo`);
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

function fill(fd: number): void {
  try {
    for (;;) writeSync(fd, Buffer.alloc(4_096, '\n'));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
  }
}

describe("the host's own log", { concurrency: false }, () => {
  const dropped = /^hersh_log_lines_dropped_total (\d+)$/m;

  it('goes into a pipe that is full and that nobody reads: the host works, and ends by SIGTERM', async () => {
    const { reader, writer } = pipe('paused');
    fill(writer);
    // Opened anew as a shell does it: writes to this one wait.
    const waiting = openSync(join(folder, 'paused.fifo'), 'w');
    const { metrics, ended } = await runHost('paused', waiting);
    for (const fd of [reader, writer, waiting]) closeSync(fd);
    assert.equal(dropped.exec(metrics)?.[1], '0', 'what waits for a reader is not lost yet');
    assert.deepEqual(ended, [0, null]);
  });

  it('goes into a pipe that is closed, or onto a full disk: the same, and a metric counts the lines', async () => {
    const { reader, writer } = pipe('closed');
    closeSync(reader);
    const full = openSync('/dev/full', 'w');
    for (const [name, stdout] of Object.entries({ closed: writer, full })) {
      const { metrics, ended } = await runHost(name, stdout);
      closeSync(stdout);
      assert.ok(Number(dropped.exec(metrics)?.[1]) >= 1, metrics);
      assert.deepEqual(ended, [0, null], name);
    }
  });
});
