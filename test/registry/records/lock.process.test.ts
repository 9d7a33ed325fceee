import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempFolder } from '../folder.ts';

/** Takes the lock when told to, says whether it has it, and keeps it until it is told to end. */
const RACER = `
  import { acquireLock } from ${JSON.stringify(new URL('../../../registry/records/lock.ts', import.meta.url).href)};
  process.stdin.once('data', () => acquireLock(process.argv[1], 'it', 'racer').then(() => 'won', () => 'lost').then((said) => process.stdout.write(said)));
  process.stdin.on('end', () => process.exit());
  process.stdout.write('ready');
`;

async function racer(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', RACER, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  assert.equal(await said(child), 'ready');
  return child;
}

async function said(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null);
  const [data] = (await once(child.stdout, 'data')) as [Buffer];
  return data.toString();
}

test('of processes that race for a lock whose owner was killed, exactly one wins', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'host.lock');
  const children = await Promise.all(Array.from({ length: 3 }, () => racer(path)));
  t.after(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  const [first, ...others] = children;
  assert.ok(first !== undefined);
  first.stdin?.write('go');
  assert.equal(await said(first), 'won');
  first.kill('SIGKILL');
  await once(first, 'exit');
  const results = others.map(said);
  for (const child of others) child.stdin?.write('go');
  assert.deepEqual((await Promise.all(results)).sort(), ['lost', 'won']);
  assert.deepEqual(await readdir(folder), ['host.lock']);
});
