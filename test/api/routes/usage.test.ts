import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError } from '../../../schemas/errors.ts';
import { caller } from '../call.ts';
import { CREATED_AT, fakeView } from '../fake-view.ts';

const FIGURES = {
  ...{ cpu: 0.123_456, memoryBytes: 5_000_000, cpuLimit: 1, memoryLimitBytes: 512 * 2 ** 20 },
  ...{ sampledAtMs: Date.parse(CREATED_AT), reason: '' },
};
const SHOWN = {
  ...{ sampled_at: CREATED_AT, cpu: 0.1235, memory_bytes: 5_000_000 },
  ...{ cpu_limit: 1, memory_limit_bytes: 512 * 2 ** 20, reason: '' },
};
const UNKNOWN = {
  ...{ sampled_at: '', cpu: null, memory_bytes: null },
  ...{ cpu_limit: null, memory_limit_bytes: null, reason: 'not yet' },
};

interface Series {
  start: string;
  step_seconds: number;
  cpu: (number | null)[];
  memory_bytes: (number | null)[];
}

function stage() {
  const all = caller([fakeView('a'), fakeView('b')]);
  all.host.figures.set('a', FIGURES);
  return all;
}

describe('GET /programs/{id}/usage', () => {
  it('tells the figures of now, and why what is unknown is null', async () => {
    const { call } = stage();
    assert.deepEqual((await call('GET', '/programs/a/usage')).json, { program_id: 'a', ...SHOWN });
    assert.deepEqual((await call('GET', '/programs/b/usage')).json, { program_id: 'b', ...UNKNOWN });
    assert.equal((await call('GET', '/programs/c/usage')).status, 404);
  });

  it('tells an hour and a week, in steps', async () => {
    const { call, host } = stage();
    for (const [range, step, count] of [
      ['1h', 15, 240],
      ['7d', 300, 2016],
    ] as const) {
      const { series, ...rest } = (await call('GET', `/programs/a/usage?range=${range}`)).json;
      assert.deepEqual(rest, { program_id: 'a', ...SHOWN });
      const { start, step_seconds, cpu, memory_bytes } = series as Series;
      assert.deepEqual(
        [start, step_seconds, cpu.length, memory_bytes.length],
        [CREATED_AT, step, count, count],
      );
      assert.deepEqual([cpu.at(-2), cpu.at(-1), memory_bytes.at(-1)], [null, 1, 1024]);
    }
    host.failures.set('week', new AppError('RegistryUnavailable', 'data/usage/a.ring can not be read'));
    assert.equal((await call('GET', '/programs/a/usage?range=7d')).status, 503);
  });

  it('refuses other ranges', async () => {
    const { call } = stage();
    for (const range of ['', '2h', '7D']) {
      const { status, text } = await call('GET', `/programs/a/usage?range=${range}`);
      assert.equal(status, 400, range);
      assert.match(text, /range must be 1h or 7d/);
    }
    assert.equal((await call('GET', '/programs/a/usage?rang=1h')).status, 400);
  });
});

describe('GET /usage', () => {
  it('tells the figures of all programs by name, with a short series where asked', async () => {
    const { call } = stage();
    const plain = [
      { program_id: 'a', ...SHOWN },
      { program_id: 'b', ...UNKNOWN },
    ];
    assert.deepEqual((await call('GET', '/usage')).json, { programs: plain, count: 2 });
    const { programs } = (await call('GET', '/usage?series=true')).json as { programs: { series: Series }[] };
    for (const { series } of programs) assert.deepEqual([series.cpu.length, series.step_seconds], [30, 120]);
    assert.equal((await call('GET', '/usage?series=maybe')).status, 400);
  });

  it('is made anew when a figure changes, or a program comes', async () => {
    const { call, host } = stage();
    const cpu = async () => {
      const { programs } = (await call('GET', '/usage?series=1')).json as { programs: { series: Series }[] };
      return programs.map(({ series }) => series.cpu.at(-1));
    };
    assert.deepEqual(await cpu(), [1, 1]);
    host.usageVersion = 2;
    assert.deepEqual(await cpu(), [2, 2]);
    host.put(fakeView('c'));
    assert.deepEqual(await cpu(), [2, 2, 2]);
  });
});
