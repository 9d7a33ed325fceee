import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createGitStage, imageManifest, SOMEBODY } from './stage.ts';

/** Bytes that no packing makes smaller. */
const noise = (seed: number) =>
  Uint8Array.from({ length: 50_000 }, (_, at) => (Math.imul(at + seed * 7919, 2_654_435_761) >>> 13) ^ at);

/** Serves repositories on a port of its own, and hangs up after so many bytes of each answer. */
async function brittleLine(t: TestContext, bytesMax: number): Promise<number> {
  const server = createServer((socket) => {
    const daemon = spawn('git', ['daemon', '--inetd', '--export-all', '--base-path=/'], { env: SOMEBODY });
    let left = bytesMax;
    daemon.stdout.on('data', (chunk: Buffer) => {
      if (left > 0) socket.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) socket.end();
    });
    daemon.stdout.on('end', () => socket.end());
    daemon.stdin.on('error', () => undefined);
    socket.on('error', () => undefined).on('close', () => daemon.stdin.destroy());
    socket.pipe(daemon.stdin);
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('git: fetching much', () => {
  test('a line on which nothing large comes through: each step is kept, and the branch taken over when whole', async (t) => {
    const origin = await createGitStage(t);
    for (let n = 0; n < 8; n++) {
      await origin.write('programs/a.yaml', imageManifest('a', { env: { N: String(n) } }));
      await origin.write('blob', noise(n));
      await origin.commitAll(`commit ${n}`);
    }
    // git 2.39: a transfer that breaks off leaves nothing behind that the next one could use.
    const port = await brittleLine(t, 140_000);
    const stage = await createGitStage(t);
    const remote = { url: `git://127.0.0.1:${port}${origin.root}`, branch: 'main', intervalMs: 2_000 };
    const registry = await stage.open(remote);
    assert.equal(registry.remoteTrouble()?.reason, 'RemoteUnreachable');
    assert.equal(registry.get('a'), undefined, 'not before all of it is there');
    await stage.until(() => registry.get('a') !== undefined, 60_000);
    assert.equal(await stage.git('rev-list', '--count', 'HEAD'), '8');
    await stage.until(() => registry.remoteTrouble() === undefined, 4_000);
    assert.deepEqual(
      (await readdir(join(stage.root, '.git'))).filter((name) => /shallow|hersh/.test(name)),
      [],
    );
  });
});
