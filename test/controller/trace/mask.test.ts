import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { masked } from '../../../controller/trace/mask.ts';
import { think } from '../../../controller/trace/pass.ts';
import { digest } from '../../../schemas/spec-hash.ts';
import { recordOf, TOKEN, WORDS } from './pass-fixture.ts';

/** Each object under the key `env`, wherever it is. */
function envsOf(value: unknown): Record<string, string>[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]: [string, unknown]) =>
    key === 'env' ? [one as Record<string, string>] : envsOf(one),
  );
}

describe('a pass that is written down', () => {
  it('holds no value of env or of a header, wherever that stood', () => {
    const record = recordOf(1_000);
    const [plain, hidden] = [record, masked(record)].map((one) => JSON.stringify(one)) as [string, string];
    for (const word of [...Object.values(WORDS), TOKEN]) {
      const written = JSON.stringify(word).slice(1, -1);
      assert.ok(plain.includes(written), `${word} is in the record`);
      assert.ok(!hidden.includes(written), `${word} is gone`);
    }
    assert.ok(hidden.includes('"KEY"') && hidden.includes('"Authorization"'), 'names stay');
  });

  it('has other words instead, equal ones for equal ones and different ones for different ones', () => {
    const record = recordOf(1_000);
    const [before, after] = [envsOf(record), envsOf(masked(record))];
    assert.ok(before.length >= 8, `${before.length} envs`);
    assert.deepEqual(after.map(Object.keys), before.map(Object.keys));
    const words = new Map<string, Set<string>>();
    before.forEach((env, index) => {
      for (const [key, value] of Object.entries(env))
        words.set(value, (words.get(value) ?? new Set()).add(after[index]?.[key] ?? ''));
    });
    assert.deepEqual([...words.keys()].sort(), [...new Set(Object.values(WORDS))].sort());
    const instead = [...words.values()].map((set) => [...set]);
    assert.ok(instead.every((set) => set.length === 1));
    assert.equal(new Set(instead.flat()).size, instead.length);
  });

  it('says the same but for those, and for the hashes over them', () => {
    const record = recordOf(1_000);
    const { facts, decided, name, before } = masked(record);
    assert.deepEqual([name, facts.nowMs, facts.probes], ['x', record.facts.nowMs, record.facts.probes]);
    assert.deepEqual(decided.actions, record.decided.actions);
    assert.equal(before.memory.program.newest?.number, 2);
    assert.notEqual(before.memory.program.newest?.hash, record.before.memory.program.newest?.hash);
    assert.notDeepEqual(facts.containers[0]?.labels, record.facts.containers[0]?.labels);
  });

  for (const [what, hadMs] of [
    ['one that has time left', 1_000],
    ['one that has had its time', 5_000],
  ] as const)
    it(`comes to the same: ${what}`, () => {
      const record = recordOf(hadMs);
      const hidden = masked(record);
      const { wish, situation, ...decided } = think(hidden);
      assert.deepEqual(decided, hidden.decided);
      assert.deepEqual(decided.actions, record.decided.actions);
      const { verdict } = decided.status.memory.rollout;
      assert.equal(verdict, hadMs === 5_000 ? 'bad' : 'new');
    });

  it('knows a spec that has headers to hide and no env by its hash, too', () => {
    const withoutEnv = (key: string, value: unknown) => (key === 'env' ? undefined : value);
    const bare = JSON.parse(JSON.stringify(recordOf(5_000)), withoutEnv);
    const hashOf = (raw: unknown) => digest({ raw, runtime: 'runc' });
    bare.before.memory.program.inForce.rawHash = hashOf(bare.before.memory.program.inForce.rawSpec);
    const { rawHash, rawSpec } = masked(bare).before.memory.program.inForce ?? {};
    assert.notDeepEqual(rawSpec, bare.before.memory.program.inForce.rawSpec);
    assert.equal(rawHash, hashOf(rawSpec));
  });

  it('is let alone where there is nothing to hide, but for the text', () => {
    const record = recordOf(1_000);
    const bare = JSON.parse(JSON.stringify(record), (key, value) =>
      /^(env|headers)$/.test(key) ? {} : value,
    );
    const { wanted, ...rest } = masked(bare);
    const { wanted: plain, ...others } = bare;
    assert.deepEqual(rest, others);
    assert.equal(wanted.kind === 'present' && wanted.entry.text, '');
  });

  it('leaves the record itself as it was', () => {
    const record = recordOf(1_000);
    const before = structuredClone(record);
    masked(record);
    assert.deepEqual(record, before);
  });
});
