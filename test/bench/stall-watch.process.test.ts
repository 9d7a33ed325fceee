import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { askForStall, watchedEnvironment } from './stall-watch.ts';

const BUSY_MS = 200;
/** Stands still once, and is then ended by whoever started it. */
const SCRIPT = `
setTimeout(() => {
  const end = performance.now() + ${BUSY_MS};
  while (performance.now() < end);
  console.log('done');
}, 50);
setInterval(() => {}, 1000);
`;

test('a process tells for how long its event loop stood still', async () => {
  const child = spawn(process.execPath, ['-e', SCRIPT], {
    ...{ env: watchedEnvironment(), stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  });
  try {
    assert.ok(child.stdout !== null);
    await once(child.stdout, 'data');
    assert.ok((await askForStall(child)) >= BUSY_MS);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});

test('one that is not watched is not asked', async () => {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await once(child, 'exit');
  await assert.rejects(askForStall(child), /not watched/);
});
