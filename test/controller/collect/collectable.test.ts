import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type CollectLimits,
  collectable,
  isReferenced,
  type References,
} from '../../../controller/collect/collectable.ts';
import { countedBytes } from '../../../controller/collect/disk-limit.ts';
import type { Found } from '../../../controller/collect/item.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-11-22T10:00:00.000Z');
const LIMITS: CollectLimits = { graceMs: HOUR, trashMs: 7 * DAY, diskBytes: undefined };

const NOTHING: References = {
  builds: new Set(),
  pastBuilds: new Set(),
  contexts: new Set(),
  images: new Set(),
  programs: new Map(),
  withContainers: new Set(),
  leaving: new Set(),
  volumes: new Set(),
  withVolume: new Set(),
  takers: [],
};
const refs = (more: Partial<References>): References => ({ ...NOTHING, ...more });

type Kind<K extends Found['kind']> = Extract<Found, { kind: K }>;
const base = (key: string, ageMs: number, bytes = 10) => ({ key, bytes, sinceMs: NOW - ageMs });
const image = (
  buildId: string,
  ageMs: number,
  claimedBy: Kind<'image'>['claimedBy'] = 'us',
  bytes = 10,
): Found => ({
  kind: 'image',
  id: `sha256:${buildId}`,
  buildId,
  claimedBy,
  ...base(`sha256:${buildId}`, ageMs, bytes),
});
const held = (id: string, ageMs: number): Found => ({
  kind: 'heldImage',
  id: `sha256:${id}`,
  ...base(`held sha256:${id}`, ageMs, 0),
});
const context = (buildId: string, ageMs: number): Found => ({
  kind: 'context',
  buildId,
  ...base(`data/contexts/${buildId}`, ageMs),
});
const buildLog = (buildId: string, ageMs: number): Found => ({
  kind: 'buildLog',
  buildId,
  ...base(`data/builds/${buildId}`, ageMs),
});
const sources = (folder: string, ageMs: number): Found => ({
  kind: 'sources',
  folder,
  ...base(folder, ageMs, 0),
});
const history = (name: string, ageMs: number): Found => ({
  kind: 'history',
  name,
  ...base(`history of ${name}`, ageMs, 0),
});
const trash = (name: string, ageMs: number, isStamped = true): Found => ({
  kind: 'trash',
  name,
  isStamped,
  ...base(`data/trash/${name}.yaml`, ageMs),
});
const volume = (name: string, ageMs: number, userId = 'me'): Found => ({
  kind: 'volume',
  name,
  userId,
  isTaken: false,
  volume: `v-${name}`,
  ...base(`data/trash/${name}.${ageMs}.volume.json`, ageMs),
});

const FOLDER = 'sources/build-0123456789ab';

/** What is found, what refers to it, and what goes: keys, `record of` where only the record does. */
const CASES: [what: string, found: Found[], refs: Partial<References>, goes: string[]][] = [
  ['an image after its grace', [image('b', HOUR)], {}, ['sha256:b']],
  ['an image before it', [image('b', HOUR - 1)], {}, []],
  ['an image that is referred to', [image('b', 9 * DAY)], { builds: new Set(['b']) }, []],
  [
    'an image of the history of a deleted program',
    [image('b', HOUR)],
    { pastBuilds: new Set(['b']) },
    ['sha256:b'],
  ],
  ['an image that another instance claims', [image('b', 99 * DAY, 'others')], {}, []],
  ['an image that nobody claims, within a week', [image('b', 6 * DAY, 'nobody')], {}, []],
  ['an image that nobody claims, later', [image('b', 7 * DAY, 'nobody')], {}, ['sha256:b']],
  [
    'an image of a build that a program names by its id',
    [image('b', DAY)],
    { images: new Set(['sha256:b']) },
    [],
  ],
  ['a hold of an image that no revision is', [held('b', HOUR)], {}, ['held sha256:b']],
  ['a hold before its grace', [held('b', HOUR - 1)], {}, []],
  ['a hold of an image that one is', [held('b', DAY)], { images: new Set(['sha256:b']) }, []],
  ['a context after its grace', [context('b', HOUR)], {}, ['data/contexts/b']],
  ['a context of a kept revision', [context('b', DAY)], { builds: new Set(['b']) }, []],
  ['a context of a deleted program', [context('b', DAY)], { pastBuilds: new Set(['b']) }, []],
  ['a build log after its grace', [buildLog('b', HOUR)], {}, ['data/builds/b']],
  ['a build log of a deleted program', [buildLog('b', DAY)], { pastBuilds: new Set(['b']) }, []],
  ['sources after their grace', [sources(FOLDER, HOUR)], {}, [FOLDER]],
  ['sources a program is built from', [sources(FOLDER, DAY)], { contexts: new Set([FOLDER]) }, []],
  ['sources of which a part is built', [sources(FOLDER, DAY)], { contexts: new Set([`${FOLDER}/app`]) }, []],
  ['sources within what is built', [sources(FOLDER, DAY)], { contexts: new Set(['sources']) }, []],
  ['sources where the whole registry is built', [sources(FOLDER, DAY)], { contexts: new Set(['.']) }, []],
  [
    'sources beside those built',
    [sources(FOLDER, DAY)],
    { contexts: new Set([`${FOLDER}-01234567`]) },
    [FOLDER],
  ],
  ['the history of a program that is gone, within a week', [history('a', 6 * DAY)], {}, []],
  ['the history of a program that is gone, later', [history('a', 7 * DAY)], {}, ['history of a']],
  ['the history of a program', [history('a', 99 * DAY)], { programs: new Map([['a', 'me']]) }, []],
  ['the history of what has a container', [history('a', 99 * DAY)], { withContainers: new Set(['a']) }, []],
  ['trash after a week', [trash('a', 7 * DAY)], {}, ['data/trash/a.yaml']],
  [
    'trash of a name that is in use again',
    [trash('a', 7 * DAY)],
    { programs: new Map([['a', 'me']]) },
    ['data/trash/a.yaml'],
  ],
  ['trash of a program that is still leaving', [trash('a', 9 * DAY)], { leaving: new Set(['a']) }, []],
  ['a volume after a week', [volume('a', 7 * DAY)], {}, [`data/trash/a.${7 * DAY}.volume.json`]],
  ['a volume before it', [volume('a', 7 * DAY - 1)], {}, []],
  ['a volume from the future', [volume('a', -DAY)], {}, []],
  [
    'a volume whose program has come back and has it',
    [volume('a', MIN)],
    { programs: new Map([['a', 'me']]), volumes: new Set(['v-a']) },
    [`record of data/trash/a.${MIN}.volume.json`],
  ],
  [
    'a volume whose program has come back and waits for it',
    [volume('a', 9 * DAY)],
    { programs: new Map([['a', 'me']]) },
    [],
  ],
  [
    'a volume whose program may be that of its user',
    [volume('a', 9 * DAY)],
    { programs: new Map([['a', '']]) },
    [],
  ],
  [
    'a volume whose name another user took',
    [volume('a', 9 * DAY)],
    { programs: new Map([['a', 'you']]), volumes: new Set(['v-of-you']) },
    [`data/trash/a.${9 * DAY}.volume.json`],
  ],
  [
    'a volume of a program that is just leaving',
    [volume('a', 9 * DAY)],
    { programs: new Map([['a', 'me']]), volumes: new Set(['v-a']), leaving: new Set(['a']) },
    [],
  ],
  [
    'a volume that a program asks for, which has none yet',
    [volume('a', 9 * DAY)],
    { programs: new Map([['b', 'me']]), takers: ['annotations: { hersh.dev/state-from: a }'] },
    [],
  ],
  [
    'a volume that was taken over, and the record of that, as long as it is used',
    [{ ...volume('a', 9 * DAY), isTaken: true } as Found],
    { programs: new Map([['a', 'me']]), volumes: new Set(['v-a']), withVolume: new Set(['a']) },
    [],
  ],
  [
    'a volume whose program has another by now',
    [volume('a', 9 * DAY)],
    { programs: new Map([['a', 'me']]), volumes: new Set(['v-other']), withVolume: new Set(['a']) },
    [`data/trash/a.${9 * DAY}.volume.json`],
  ],
  [
    'a volume deleted twice, by its last record',
    [volume('a', 9 * DAY), volume('a', DAY)],
    {},
    [`record of data/trash/a.${9 * DAY}.volume.json`],
  ],
];

describe('what may be collected', () => {
  for (const [what, found, more, goes] of CASES) {
    it(`${goes.length === 0 ? 'keeps' : 'takes'} ${what}`, () => {
      const removals = collectable(refs(more), found, NOW, LIMITS);
      const keys = removals.map(({ item, recordOnly }) => `${recordOnly ? 'record of ' : ''}${item.key}`);
      assert.deepEqual(keys, goes);
    });
  }

  it('says why', () => {
    const found = [image('old', 2 * HOUR), image('young', MIN), volume('a', 8 * DAY), history('b', 7 * DAY)];
    const why = collectable(NOTHING, found, NOW, { ...LIMITS, diskBytes: 0 }).map((one) => one.why);
    assert.deepEqual(why, [
      'it has been in the trash for 8 d',
      'its program has been gone for 7 d',
      'nothing has referred to it for 2 h',
      'nothing has referred to it, and the disk limit is exceeded by 1 MiB',
    ]);
  });

  it('takes under a disk limit no more than it needs, the oldest first, what can not be made again last', () => {
    const found = [volume('v', 3 * DAY), image('a', 10 * MIN), image('b', 20 * MIN), context('c', 15 * MIN)];
    const keys = (diskBytes: number) =>
      collectable(NOTHING, found, NOW, { ...LIMITS, diskBytes }).map(({ item }) => item.key);
    assert.deepEqual(keys(40), []);
    assert.deepEqual(keys(39), ['sha256:b']);
    assert.deepEqual(keys(20), ['sha256:b', 'data/contexts/c']);
    assert.deepEqual(keys(10), ['sha256:b', 'data/contexts/c', 'sha256:a']);
    assert.equal(keys(9).at(-1), `data/trash/v.${3 * DAY}.volume.json`);
  });

  it('counts what is in use for the limit, but not what is not its own', () => {
    const found = [
      image('used', DAY, 'us', 50),
      image('theirs', DAY, 'others', 500),
      image('b', MIN, 'us', 10),
    ];
    const more = refs({ builds: new Set(['used']) });
    assert.equal(countedBytes(found), 60);
    assert.deepEqual(collectable(more, found, NOW, { ...LIMITS, diskBytes: 60 }), []);
    assert.equal(collectable(more, found, NOW, { ...LIMITS, diskBytes: 59 })[0]?.item.key, 'sha256:b');
  });

  it('takes nothing under a disk limit that frees nothing', () => {
    const empty = { ...volume('v', DAY), bytes: 0 };
    assert.deepEqual(
      collectable(NOTHING, [empty, image('a', MIN)], NOW, { ...LIMITS, diskBytes: 9 }).length,
      1,
    );
    const over = refs({ builds: new Set(['a']) });
    assert.deepEqual(collectable(over, [empty, image('a', MIN)], NOW, { ...LIMITS, diskBytes: 9 }), []);
  });

  it('counts no volume for the limit that a program has back, and one that was deleted often once', () => {
    const found = [volume('back', HOUR), volume('back', MIN), volume('gone', HOUR), volume('gone', MIN)];
    const more = refs({ programs: new Map([['back', 'me']]), volumes: new Set(['v-back']) });
    const volumes = (diskBytes: number) =>
      collectable(more, found, NOW, { ...LIMITS, diskBytes }).filter(({ recordOnly }) => !recordOnly);
    assert.deepEqual(volumes(10), []);
    assert.deepEqual(
      volumes(9).map(({ item }) => item.key),
      [`data/trash/gone.${MIN}.volume.json`],
    );
  });
});

const IDS = ['a', 'b', 'c', 'd'];
const id = fc.constantFrom(...IDS);
const age = fc.integer({ min: -DAY, max: 10 * DAY });
const bytes = fc.integer({ min: 0, max: 100 });
const thing: fc.Arbitrary<Found> = fc
  .tuple(id, age, bytes, fc.constantFrom<Kind<'image'>['claimedBy']>('us', 'others', 'nobody'), fc.nat(7))
  .map(([name, ms, size, claimedBy, which]): Found => {
    const all = [
      () => image(name, ms, claimedBy),
      () => context(name, ms),
      () => buildLog(name, ms),
      () => sources(`sources/build-${name.repeat(12)}`, ms),
      () => history(name, ms),
      () => trash(name, ms),
      () => volume(name, ms),
      () => held(name, ms),
    ];
    const make = all[which] ?? all[0];
    assert.ok(make !== undefined);
    return { ...make(), bytes: size };
  });
const names = fc.subarray(IDS);
const world = fc.record({
  found: fc.uniqueArray(thing, { selector: ({ key }) => key, maxLength: 20 }),
  refs: fc
    .record({
      builds: names,
      images: names,
      pastBuilds: names,
      contexts: names,
      programs: names,
      leaving: names,
      withContainers: names,
      volumes: names,
    })
    .map(
      (sets): References => ({
        builds: new Set(sets.builds),
        images: new Set(sets.images.map((name) => `sha256:${name}`)),
        pastBuilds: new Set(sets.pastBuilds),
        contexts: new Set(sets.contexts.map((name) => `sources/build-${name.repeat(12)}`)),
        programs: new Map(sets.programs.map((name) => [name, name === 'd' ? 'you' : 'me'])),
        leaving: new Set(sets.leaving),
        withContainers: new Set(sets.withContainers),
        volumes: new Set(sets.volumes.map((name) => `v-${name}`)),
        withVolume: new Set(sets.volumes),
        takers: [],
      }),
    ),
  diskBytes: fc.option(fc.nat(500), { nil: undefined }),
});

describe('whatever is found and refers', () => {
  const holds = (property: (given: { found: Found[]; refs: References; limits: CollectLimits }) => void) =>
    fc.assert(
      fc.property(world, ({ diskBytes, ...rest }) => property({ ...rest, limits: { ...LIMITS, diskBytes } })),
      { numRuns: 2_000 },
    );

  it('nothing that is referred to goes, and of a volume in use at most the record', () => {
    holds(({ found, refs: given, limits }) => {
      for (const { item, recordOnly } of collectable(given, found, NOW, limits)) {
        if (recordOnly) assert.equal(item.kind, 'volume');
        else assert.equal(isReferenced(given, item), false);
      }
    });
  });

  it('no volume goes that a program uses, or that has a record younger than a week, without need', () => {
    holds(({ found, refs: given, limits }) => {
      const removals = collectable(given, found, NOW, limits);
      for (const { item, recordOnly } of removals) {
        if (item.kind !== 'volume' || recordOnly) continue;
        assert.equal(given.volumes.has(item.volume), false);
        if (limits.diskBytes === undefined) assert.ok(NOW - item.sinceMs >= 7 * DAY);
      }
    });
  });

  it('nothing that another instance claims goes', () => {
    holds(({ found, refs: given, limits }) => {
      for (const { item } of collectable(given, found, NOW, limits))
        assert.ok(item.kind !== 'image' || item.claimedBy !== 'others');
    });
  });

  it('each goes once at most, and the order of what is found does not matter', () => {
    holds(({ found, refs: given, limits }) => {
      const removals = collectable(given, found, NOW, limits);
      assert.equal(new Set(removals.map(({ item }) => item.key)).size, removals.length);
      assert.deepEqual(collectable(given, [...found].reverse(), NOW, limits), removals);
    });
  });

  it('a limit on the disk takes from what nothing refers to until it is kept, and then stops', () => {
    holds(({ found, refs: given, limits }) => {
      if (limits.diskBytes === undefined) return;
      const without = collectable(given, found, NOW, { ...limits, diskBytes: undefined });
      const all = collectable(given, found, NOW, limits);
      assert.deepEqual(all.slice(0, without.length), without);
      const left = (count: number) => {
        const gone = all.slice(0, count).map(({ item }) => item);
        return countedBytes(found) - countedBytes(gone);
      };
      if (all.length > without.length)
        assert.ok(left(all.length - 1) > limits.diskBytes, 'the last was needed');
      if (left(all.length) > limits.diskBytes) {
        const taken = new Set(all.map(({ item }) => item.key));
        const more = found.filter(
          (one) =>
            !taken.has(one.key) &&
            !isReferenced(given, one) &&
            one.kind !== 'sources' &&
            one.kind !== 'history' &&
            one.kind !== 'heldImage' &&
            (one.bytes ?? 0) > 0 &&
            !(one.kind === 'image' && one.claimedBy === 'nobody'),
        );
        assert.deepEqual(more, [], 'there was nothing more to take');
      }
    });
  });
});
