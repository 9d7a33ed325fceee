import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageIn } from '../../../../controller/engine/docker/usage.ts';

/** Parts of what `GET /containers/{id}/stats?stream=false&one-shot=true` answers. */
test('what the engine counted, as `docker stats` shows it', () => {
  // Docker 20.10.24, cgroup version 1.
  const one = {
    cpu_stats: { cpu_usage: { total_usage: 67_342_853 } },
    memory_stats: { usage: 8_000, stats: { inactive_file: 1, total_inactive_file: 3_000 } },
  };
  assert.deepEqual(usageIn(one), { cpuNanos: 67_342_853, memoryBytes: 5_000 });
  // As engines answer under version 2.
  const two = { ...one, memory_stats: { usage: 8_000, stats: { inactive_file: 1_000 } } };
  assert.deepEqual(usageIn(two), { cpuNanos: 67_342_853, memoryBytes: 7_000 });
  const idle = { ...one, memory_stats: { usage: 8_000, stats: { inactive_file: 8_000 } } };
  assert.equal(usageIn(idle)?.memoryBytes, 8_000);
});

test('of a container that does not run it says nothing, with 0 for each; part of it may be missing', () => {
  // Docker 20.10.24, of one that has stopped.
  assert.equal(usageIn({ cpu_stats: { cpu_usage: { total_usage: 0 } }, memory_stats: {} }), undefined);
  assert.equal(usageIn({}), undefined);
  assert.deepEqual(usageIn({ memory_stats: { usage: 5 } }), { cpuNanos: null, memoryBytes: 5 });
  assert.deepEqual(usageIn({ cpu_stats: { cpu_usage: { total_usage: 5 } } }), {
    cpuNanos: 5,
    memoryBytes: null,
  });
});
