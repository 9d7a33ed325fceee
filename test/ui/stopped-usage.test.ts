import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Signal } from '@preact/signals';
import type { UsageBody } from '../../api/routes/usage.ts';
import { take } from '../../api/ui/state/programs.ts';
import { usageOf } from '../../api/ui/state/usage.ts';
import { programBody } from './program-body.ts';

const NAME = 'stops-here';

test('the last figures of a program go with its run, and not with the next answer', () => {
  const told = usageOf(NAME) as Signal<UsageBody | undefined>;
  const put = (state: string) =>
    take([{ type: 'program', id: '1', data: programBody({ program_id: NAME, state }) }]);
  put('Ready');
  told.value = {
    ...{ program_id: NAME, sampled_at: 't', cpu: 0.2, memory_bytes: 7, reason: '' },
    ...{ cpu_limit: 1, memory_limit_bytes: 9 },
  };
  put('Running');
  assert.equal(told.value.memory_bytes, 7);
  put('Stopped');
  const { memory_bytes, cpu, reason } = told.value;
  assert.deepEqual([memory_bytes, cpu, reason], [null, null, 'it does not run']);
});
