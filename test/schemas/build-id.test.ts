import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  buildHash,
  buildHashSteps,
  buildIdOf,
  type ContextEntry,
  compareBytes,
} from '../../schemas/build-id.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const entry = (name: string, text = '', mode = 0o100644): ContextEntry => ({
  name,
  mode,
  sha256: sha256(text),
});

test('the same input gives the same id on every machine', () => {
  const entries = [entry('Dockerfile', 'FROM scratch\n'), entry('src', '', 0o040000), entry('src/ä.js', '1')];
  const hash = buildHash('Dockerfile', { B: '2', A: '1' }, entries);
  assert.equal(hash, '441b8014f29263138fc9a7ca83877c2272e0382251aeda87eb8983d5be18d344');
  assert.equal(buildIdOf(hash), 'build-441b8014f292');
});

test('neither the order of files nor of args counts; everything else does', () => {
  const base = [entry('a', '1'), entry('b', '2')];
  const hash = buildHash('a', { X: '1', Y: '2' }, base);
  assert.equal(buildHash('a', { Y: '2', X: '1' }, [...base].reverse()), hash);
  const others = [
    buildHash('b', { X: '1', Y: '2' }, base),
    buildHash('a', { X: '2', Y: '1' }, base),
    buildHash('a', { X: '1' }, base),
    buildHash('a', { X: '1', Y: '2' }, [entry('a', '2'), entry('b', '1')]),
    buildHash('a', { X: '1', Y: '2' }, [entry('a', '1'), entry('b', '2', 0o100755)]),
    buildHash('a', { X: '1', Y: '2' }, [entry('a', '1')]),
    buildHash('a', { X: '1', Y: '2' }, [...base, entry('c', '', 0o040000)]),
  ];
  assert.equal(new Set([hash, ...others]).size, others.length + 1);
});

test('no field can be mistaken for part of another', () => {
  assert.notEqual(buildHash('D', { AB: 'C' }, []), buildHash('D', { A: 'BC' }, []));
  assert.notEqual(buildHash('D', { A: 'B', C: '' }, []), buildHash('D', { A: 'BC' }, []));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), fc.dictionary(fc.string(), fc.string()), (a, b) => {
      const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
      assert.equal(buildHash('D', a, []) === buildHash('D', b, []), same);
    }),
  );
});

test('names are in the order of their bytes', () => {
  assert.deepEqual(['\u{1F600}', '\uFFFD', 'z', 'Z', 'a'].sort(compareBytes), [
    'Z',
    'a',
    'z',
    '\uFFFD',
    '\u{1F600}',
  ]);
});

test('a large context is hashed in slices, in any order to the same hash; a small one at one go', () => {
  const entry = (index: number): ContextEntry => ({
    name: `f${index}`,
    mode: 0o100644,
    sha256: '00'.repeat(32),
  });
  const many = Array.from({ length: 20_000 }, (_, index) => entry((index * 7919) % 20_000));
  const run = (entries: ContextEntry[]) => {
    const steps = buildHashSteps('Dockerfile', {}, { entries });
    for (let yields = 0; ; yields++) {
      const { done, value } = steps.next();
      if (done === true) return { yields, hash: value };
    }
  };
  const { yields, hash } = run(many);
  // Sorting in parts, four rounds of putting two together, and the hash: each some 10 slices.
  assert.ok(yields >= 40, `${yields} yields`);
  assert.equal(run(many.toSorted((a, b) => compareBytes(a.name, b.name))).hash, hash);
  assert.equal(run(many.slice(0, 100)).yields, 0);
});
