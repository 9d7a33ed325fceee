import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createStage } from './registry-stage.ts';

test('a process that opened and closed a registry ends by itself', async (t) => {
  const stage = await createStage(t, 'a');
  const script = `
    import { openRegistry } from ${JSON.stringify(new URL('../../registry/open-registry.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../../schemas/clock.ts', import.meta.url).href)};
    const registry = await openRegistry({ root: ${JSON.stringify(stage.root)}, policy: { runtime: 'runc' }, clock: systemClock, onWarning: console.error });
    await registry.editSpec('a', { desiredState: 'Stopped' });
    await registry.close();
    console.log('closed');`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--unhandled-rejections=strict', '-e', script],
    // It ends a process that would hang.
    { timeout: 120_000 },
  );
  assert.equal(stdout, 'closed\n');
  assert.equal(stderr, '');
});
