import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerOf } from '../../../controller/engine/docker/translate.ts';
import { afterDeed } from '../../../controller/program/deed.ts';
import { driftOf } from '../../../controller/program/drift.ts';
import {
  isInDoubt,
  nextMadeAt,
  noted,
  type Papers,
  toldApart,
  withMadeAt,
} from '../../../controller/program/ownership.ts';
import type { Container } from '../../../schemas/container.ts';
import type { ProgramMemory } from '../../../schemas/memory.ts';
import { LABELS } from '../../../schemas/program.ts';
import type { Revision } from '../../../schemas/revision.ts';
import { revisionHash } from '../../../schemas/spec-hash.ts';
import { inspectedOf } from '../engine/docker/inspected-b8c6c15.ts';
import { HASH, memoryOf, specOf } from './situation-fixture.ts';

const spec = specOf({ env: { KEY: 'a=b' }, resources: { memory: '64Mi', cpus: 0.1, pids: 64 } });
/** As a host of b8c6c15 left it. */
const older = containerOf(inspectedOf(spec, HASH));
const revision: Revision = {
  ...{ number: 1, hash: revisionHash(spec, HASH), createdAt: '', commit: '', buildId: '', buildHash: HASH },
  ...{ imageId: older.imageId, spec, rawSpec: {}, author: 'me', outcome: 'Ready', message: '' },
};
const PAPERS: Papers = { revision, imageLabels: { [LABELS.build]: HASH } };

/** Why it is not the program's; `""` where it is. */
const why = (memory: ProgramMemory, change: Partial<Container> = {}, papers: Papers = PAPERS): string => {
  const one = { ...older, ...change };
  const { own, strangers } = toldApart(memory, [one], { [one.id]: papers });
  assert.equal(own.length + strangers.length, 1);
  return strangers[0]?.why ?? '';
};
const settings = (change: Partial<Container['settings']>) => ({ settings: { ...older.settings, ...change } });

describe('a container whose id is not noted', () => {
  const ledger = memoryOf({ program: { newest: { number: 1, hash: revision.hash } } });

  it("is the program's where an older host made it, and no upgrade replaces it", () => {
    assert.equal(why(ledger), '');
    assert.equal(why(memoryOf()), '', 'the ledger was lost');
    const after = noted(ledger, { containers: [older], strangers: [] });
    assert.deepEqual(after.containers, { [older.id]: { made: true } });
    assert.equal(after.program.making, '');
  });

  it('is so by what is in force, or was good, where its revision could not be written', () => {
    const inForce = { rawHash: '', rawSpec: {}, spec, labels: {} };
    assert.equal(why(memoryOf({ program: { inForce } }), {}, {}), '');
    const good = { revision: 1, hash: revision.hash, imageKey: HASH, buildId: '', spec };
    assert.equal(why(memoryOf({ rollout: { verdict: 'new', attempt: '', refusals: 0, good } }), {}, {}), '');
    assert.match(
      why(memoryOf(), { labels: { ...older.labels, [LABELS.specHash]: 'v1:0' } }),
      /^it was not made for revision 1/,
    );
  });

  it('is so by what every container has where its revision is nowhere to be had: two must never run at once', () => {
    for (const memory of [ledger, memoryOf()]) {
      const lost = { ...memory, program: { ...memory.program, newest: { number: 0, hash: '' } } };
      assert.equal(why(lost, { env: {}, ...settings({ cpus: 64 }) }, {}), '');
      assert.match(why(lost, { loosened: ['its root file system is writable'] }, {}), /writable/);
      assert.match(why(lost, {}, { imageLabels: { [LABELS.program]: 'x' } }), /made of a container/);
    }
  });

  const strange: [string, Partial<Container>][] = [
    ['less security', { loosened: ['its root file system is writable'] }],
    ['another port', { publishPort: 19006 }],
    ['another runtime', { runtime: 'runsc' }],
    ['another value in its environment', { env: { ...older.env, KEY: 'b' } }],
    ['the label of another spec', { labels: { ...older.labels, [LABELS.specHash]: 'v1:0' } }],
  ];
  for (const [what, change] of strange)
    it(`is a stranger with ${what}`, () => assert.notEqual(why(ledger, change), ''));

  it('is a stranger where it runs something else than its spec says, as far as that says anything', () => {
    const runs = (of: object, has: { command?: string[]; args?: string[] }): string => {
      const wanted = specOf({ ...of, resources: { memory: '64Mi', cpus: 0.1, pids: 64 } });
      const one = containerOf(inspectedOf(wanted, HASH));
      const kept = { ...revision, spec: wanted, hash: revisionHash(wanted, HASH) };
      return why(ledger, { ...one, settings: { ...one.settings, ...has } }, { revision: kept });
    };
    assert.equal(runs({}, { command: ['/any'], args: ['x'] }), '', "the image's own is not known here");
    assert.equal(runs({ command: ['/a'] }, { command: ['/a'] }), '');
    assert.equal(runs({ args: ['b'] }, { command: ['/any'], args: ['b'] }), '');
    assert.match(runs({ command: ['/a'] }, { command: ['/b'] }), /^its command is \["\/b"\]$/);
    assert.match(runs({ command: ['/a'] }, { command: ['/a'], args: ['c'] }), /^its args are \["c"\]$/);
    assert.match(runs({ args: ['b'] }, { args: [] }), /^its args are \[\]$/);
  });

  it('is one where its image was committed from a container', () => {
    const imageLabels = { [LABELS.build]: HASH, [LABELS.program]: 'x' };
    assert.match(why(ledger, {}, { revision, imageLabels }), /made of a container/);
  });

  // All that `docker update` and `docker network` change of it (20.10.24).
  const changed: Partial<Container['settings']>[] = [
    { memoryBytes: 2 ** 40, memorySwapBytes: 2 ** 40 },
    { memorySwapBytes: 2 ** 40 },
    { cpus: 64 },
    { pids: 0 },
    { restartPolicy: 'always' },
    { networks: ['bridge', 'hersh-programs-1'] },
  ];
  for (const change of changed)
    it(`is the program's where somebody changed ${Object.keys(change)}, and that is seen as drift`, () => {
      assert.deepEqual(driftOf(...adopted(memoryOf(), change, PAPERS)).length, Object.keys(change).length);
      // With the history lost too, the limits are taken as they are: what they were is nowhere to be had.
      const isOfAll = ['memorySwapBytes', 'restartPolicy', 'networks'].includes(Object.keys(change).join());
      assert.deepEqual(driftOf(...adopted(memoryOf(), change, {})).length, isOfAll ? 1 : 0);
    });

  it('is as an engine has it that does not count swap, or as an older host saw it', () => {
    assert.deepEqual(driftOf(...adopted(ledger, {}, PAPERS)), []);
    assert.deepEqual(driftOf(...adopted(ledger, { memorySwapBytes: -1 }, PAPERS)), []);
    const known = memoryOf({ containers: { [older.id]: { settings: { cpus: 64 } } } });
    assert.deepEqual(driftOf(...adopted(known, { cpus: 64 }, PAPERS)), []);
    assert.equal(driftOf(...adopted(known, {}, PAPERS)).length, 1);
  });

  it('is told from its copy, though somebody changed it', () => {
    const first = { ...older, labels: { ...older.labels, [LABELS.madeAt]: 'then' } };
    const drifted = { ...first, ...settings({ restartPolicy: 'always' }) };
    const copy = { ...first, id: 'copy' };
    const { own, strangers } = toldApart(memoryOf(), [drifted, copy], { [first.id]: PAPERS, copy: PAPERS });
    assert.deepEqual([own, strangers[0]?.why], [[drifted], 'it is a copy of another']);
  });
});

/** It, and what is remembered once it was found with these settings. */
function adopted(
  before: ProgramMemory,
  change: Partial<Container['settings']>,
  papers: Papers,
): [Container, ProgramMemory] {
  const one = { ...older, servedPort: older.publishPort, ...settings(change) };
  const found = toldApart(before, [one], { [one.id]: papers });
  assert.deepEqual(found.strangers, []);
  return [one, noted(before, { containers: found.own, ...found })];
}

describe('a container of a program whose ids are noted', () => {
  const made = afterDeed(memoryOf(), { kind: 'made', containerId: older.id });
  const newest = { number: 1, hash: revision.hash };
  const other = { ...made, containers: {}, program: { ...made.program, newest } };

  it("is the program's by its id, whatever became of it", () => {
    assert.equal(why(made, { loosened: ['it is paused'], ...settings({ cpus: 64 }) }, {}), '');
  });

  it("is a stranger by its id, though it has all that the program's has", () => {
    assert.equal(isInDoubt(other, older), false);
    assert.equal(why(other), 'no host made it');
  });

  it('counts where the host was killed before it could note it', () => {
    const volume = 'v';
    const making = afterDeed(other, {
      ...{ kind: 'makes', revision: 1, hash: revision.hash, at: '', volume, isAgain: false },
      specHash: older.labels[LABELS.specHash] ?? '',
    });
    assert.equal(why(making), '');
    assert.notEqual(why(making, { loosened: ['x'] }), '');
    assert.equal(noted(making, { containers: [older], strangers: [] }).program.making, '');
    assert.equal(noted(making, { containers: [], strangers: [] }).program.making, making.program.making);
  });

  it('counts where the ledger is behind: it does not know of that revision', () => {
    assert.equal(why({ ...other, program: { ...other.program, newest: { number: 0, hash: '' } } }), '');
  });

  it('counts where the ledger is behind: it does not know when that was made, and no other says the same', () => {
    const labels = { ...older.labels, [LABELS.madeAt]: 'then' };
    assert.equal(why(other, { labels }), '');
    const known = { ...other, program: { ...other.program, madeAt: ['then'] } };
    assert.equal(why(known, { labels }), 'no host made it', 'a copy of what it knows, or knew');
    const first = { ...older, labels };
    const copy = { ...first, id: 'copy' };
    const { own, strangers } = toldApart(other, [first, copy], { [first.id]: PAPERS, copy: PAPERS });
    assert.deepEqual([own, strangers[0]?.why], [[first], 'it is a copy of another']);
    assert.deepEqual(noted(other, { containers: own, strangers }).program.madeAt, ['then']);
  });

  it('is known by when it was made, for the last ten', () => {
    const program = { ...other.program, madeAt: [...'abcdefghij'] };
    assert.deepEqual(withMadeAt(program, 'j', ''), program.madeAt);
    assert.equal(withMadeAt(program, 'j', ''), program.madeAt);
    assert.deepEqual(withMadeAt(program, 'k').join(''), 'bcdefghijk');
    const at = (ms: number) => new Date(ms).toISOString();
    const known = { ...other, program: { ...program, madeAt: [at(5), at(6)] } };
    assert.deepEqual([nextMadeAt(other, 5), nextMadeAt(known, 5)], [at(5), at(7)]);
  });
});
