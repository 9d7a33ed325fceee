import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSameData } from '../../schemas/is-same-data.ts';
import { ON_CHANGE } from '../../schemas/on-change.ts';
import type { ProgramSpec } from '../../schemas/program.ts';
import { resolveSpec } from '../../schemas/resolve.ts';
import { digest, revisionHash, specHash } from '../../schemas/spec-hash.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import { anyCharacter } from './any-character.ts';

/** Such as are in no order, or not in that of their letters. */
const ODD_KEYS = ['10', '9', '01', '4294967294', '4294967295', '__proto__', 'toJSON', 'ä', ''];

const BASE: ProgramSpec = resolveSpec(
  { userId: 'u', build: { context: 'sources/a' }, env: { A: '1' } },
  'runc',
);

/** Another value for every field: one that is missing here does not compile. */
const OTHER: { [K in keyof ProgramSpec]: ProgramSpec[K] } = {
  userId: 'v',
  desiredState: 'Stopped',
  build: { context: 'sources/b', dockerfile: 'Dockerfile', args: {} },
  image: 'nginx',
  publishPort: 19005,
  runtime: 'runsc',
  command: ['a'],
  args: ['a'],
  env: { A: '2' },
  restartPolicy: 'Never',
  restartedAt: 'now',
  stopGracePeriodSeconds: 1,
  resources: { memoryBytes: 1, cpus: 1, pids: 1 },
  readiness: { kind: 'none' },
  liveness: { kind: 'tcp', periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 },
  progressDeadlineSeconds: 1,
};

for (const field of Object.keys(OTHER) as (keyof ProgramSpec)[]) {
  test(`a change of ${field} costs: ${ON_CHANGE[field]}`, () => {
    const changed = { ...BASE, [field]: OTHER[field] };
    // What is built, and on which port, goes in by what it came to and not by how it was asked for.
    const counts = ON_CHANGE[field] === 'recreate' && field !== 'publishPort';
    assert.equal(specHash(changed, 'image', 19001) !== specHash(BASE, 'image', 19001), counts);
    assert.equal(
      revisionHash(changed, 'image') !== revisionHash(BASE, 'image'),
      counts && field !== 'restartedAt',
    );
  });
}

test('another image or port is another container; another port is the same revision', () => {
  const hash = specHash(BASE, 'image', 19001);
  assert.notEqual(specHash(BASE, 'other', 19001), hash);
  assert.notEqual(specHash(BASE, 'image', 19002), hash);
  assert.notEqual(revisionHash(BASE, 'other'), revisionHash(BASE, 'image'));
});

test('the hashes are the same on every machine', () => {
  assert.equal(specHash(BASE, 'image', 19001), 'v1:730f680cbe4417a51e09cc65ab5a721b');
  assert.equal(revisionHash(BASE, 'image'), '8165052d4df8f367908047504eccc7d3');
  assert.equal(digest({}), '44136fa355b3678a1146ad16f7e8649e');
});

const shuffled = (value: unknown): unknown =>
  typeof value !== 'object' || value === null
    ? value
    : Array.isArray(value)
      ? value.map(shuffled)
      : Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([key, inner]) => [key, shuffled(inner)]),
        );

test('equal data gives equal text, whatever its order', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(stableJson(shuffled(value)), stableJson(value));
      assert.deepEqual(JSON.parse(stableJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
  assert.notEqual(stableJson([1, 2]), stableJson([2, 1]), 'the order of a list counts');
  assert.equal(stableJson({ b: 1, a: { d: 1, c: 2 } }), '{"a":{"c":2,"d":1},"b":1}');
});

test('the text of data is that of its sorted entries, byte for byte: hashes that are kept are of these', () => {
  const sorted = (_: string, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner;
  const keys = fc.oneof(fc.string(), fc.nat().map(String), fc.constantFrom(...ODD_KEYS));
  const values = [fc.constant(undefined), fc.constant(null), fc.string({ unit: anyCharacter }), fc.double()];
  const data = fc.anything({ key: keys, values, withDate: true, withNullPrototype: true });
  fc.assert(
    fc.property(data, (value) => {
      assert.equal(stableJson(value), JSON.stringify(value, sorted) ?? 'undefined');
    }),
    { numRuns: 500 },
  );
});

test('data is the same as its copy in another order, and as nothing else of another text', () => {
  const any = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 });
  fc.assert(
    fc.property(any, any, (one, other) => {
      assert.equal(isSameData(one, other), stableJson(one) === stableJson(other));
      assert.ok(isSameData(one, shuffled(structuredClone(one))));
    }),
  );
  assert.ok(isSameData({ a: 1, b: undefined }, { a: 1 }));
  assert.ok(!isSameData({ a: 1 }, { a: 1, b: null }));
  assert.ok(!isSameData([], {}));
  assert.ok(!isSameData(null, {}));
});
