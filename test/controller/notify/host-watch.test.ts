import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { troublesOf } from '../../../controller/health.ts';
import { AGAIN_MS, type HostTrouble, watchHost } from '../../../controller/notify/host-watch.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

function stage() {
  const clock = createManualClock();
  const told: string[] = [];
  const now: { troubles: HostTrouble[] } = { troubles: [] };
  const end = watchHost(
    clock,
    () => now.troubles,
    ({ reason }) => told.push(`${reason}@${clock.monotonic() / 1000}`),
  );
  return { clock, told, now, end };
}

const away: HostTrouble = {
  kind: 'engine',
  reason: 'EngineUnavailable',
  message: 'no answer',
  afterMs: 30_000,
};
const paused: HostTrouble = { kind: 'pruning', reason: 'PrunePaused', message: '3 are gone', afterMs: 0 };

describe('what concerns the host itself', () => {
  it('is told once, when it has lasted', async () => {
    const { clock, told, now, end } = stage();
    now.troubles = [away];
    await clock.advance(20_000);
    now.troubles = [];
    await clock.advance(20_000);
    assert.deepEqual(told, [], 'the engine was only restarted');
    now.troubles = [away, paused];
    await clock.advance(3_600_000);
    assert.deepEqual(told, ['PrunePaused@42', 'EngineUnavailable@72']);
    end();
    assert.equal(clock.nextAt(), undefined);
  });

  it('is told again where it went and came, but not each time where it comes and goes', async () => {
    const { clock, told, now } = stage();
    for (let at = 0; at < 10; at++) {
      now.troubles = [paused];
      await clock.advance(4_000);
      now.troubles = [];
      await clock.advance(4_000);
    }
    assert.equal(told.length, 1);
    now.troubles = [paused];
    await clock.advance(AGAIN_MS);
    assert.equal(told.length, 2, 'what still stands by then is told');
  });

  it('stays the same trouble though its reason changes', async () => {
    const { clock, told, now } = stage();
    for (let at = 0; at < 10; at++) {
      now.troubles = [{ ...away, reason: at % 2 === 0 ? 'RemoteUnreachable' : 'SubmoduleUnavailable' }];
      await clock.advance(10_000);
    }
    assert.equal(told.length, 1);
  });

  it('is the engine, a pause of pruning, the registry and the remote, each with its time', () => {
    const remote = { reason: 'RemoteDiverged', message: 'they diverged' } as const;
    assert.deepEqual(troublesOf({ message: '', paused: [], unwritable: [] }, undefined, { trouble: '' }), []);
    const files = {
      message: 'not mounted',
      paused: ['a', 'b'],
      unwritable: ['data/ can not be written: ENOSPC'],
    };
    const all = troublesOf(files, remote, { trouble: 'ECONNREFUSED' });
    assert.deepEqual(
      all.map(({ reason, afterMs }) => `${reason} ${afterMs / 1000}`),
      ['EngineUnavailable 30', 'PrunePaused 0', 'RegistryUnavailable 300', 'RemoteDiverged 300'],
    );
    assert.equal(all[2]?.message, 'not mounted; data/ can not be written: ENOSPC');
    assert.match(all[1]?.message ?? '', /^2 manifests are gone at once \(a, b\)/);
  });
});
