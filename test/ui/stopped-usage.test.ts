import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programBody } from './program-body.ts';

const usage = {
  ...{ program_id: 'maker-sol', sampled_at: 't', cpu: 0.2, memory_bytes: 7, reason: '' },
  ...{ cpu_limit: 1, memory_limit_bytes: 9 },
};

test('the last figures of a program go with its run, and not with the next answer', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const answer = () => Response.json({ programs: [usage], count: 1 });
  // The page's client takes the `fetch` that it finds when it is loaded.
  t.mock.method(globalThis, 'fetch', async () => answer());
  const { take } = await import('../../api/ui/state/programs.ts');
  const { startUsage, usageOf } = await import('../../api/ui/state/usage.ts');
  const put = (state: string) => take([{ type: 'program', id: '1', data: programBody({ state }) }]);
  put('Ready');
  startUsage();
  const told = usageOf('maker-sol');
  const stop = await new Promise<() => void>((resolve) => {
    const end = told.subscribe((value) => value && setImmediate(() => resolve(end)));
  });
  stop();
  put('Running');
  assert.equal(told.value?.memory_bytes, 7);
  put('Stopped');
  const { memory_bytes, cpu, reason } = told.value ?? {};
  assert.deepEqual([memory_bytes, cpu, reason], [null, null, 'it does not run']);
});
