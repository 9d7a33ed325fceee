import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createSharing } from '../../../registry/files/sharing.ts';
import { createPacking, createUnpacking } from '../../../registry/index/packing.ts';

/** As it goes through the index: the parts that were told, and what came of each thing. */
function packedLines(things: readonly object[]) {
  const lines: { part?: object; thing?: object | undefined }[] = [];
  const pack = createPacking((part) => lines.push({ part }));
  for (const thing of things) lines.push({ thing: pack(thing) });
  return JSON.parse(JSON.stringify(lines)) as typeof lines;
}

function unpacked(lines: ReturnType<typeof packedLines>): unknown[] {
  const unpacking = createUnpacking();
  return lines.flatMap(({ part, thing }) => {
    if (part === undefined) return [unpacking.thing(thing)];
    unpacking.part(part);
    return [];
  });
}

describe('packing', () => {
  test('whatever is shared or not, what is packed comes back equal, and shared alike', () => {
    const json = fc.jsonValue({ noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)));
    const inner = fc.oneof(fc.constantFrom({}, [], { a: 1 }, JSON.parse('{"__proto__":{"b":2}}')), json);
    fc.assert(
      fc.property(fc.array(fc.tuple(inner, inner)), (pairs) => {
        const share = createSharing();
        const things = pairs.map(([one, other]) => ({ own: [other], part: share(structuredClone(one)) }));
        const back = unpacked(packedLines(things)) as typeof things;
        assert.deepEqual(back, things);
        const isSame = (of: typeof things) => of.map(({ part }) => of.findIndex((one) => one.part === part));
        const objects = (of: typeof things) => of.filter(({ part }) => Object(part) === part);
        assert.deepEqual(isSame(objects(back)), isSame(objects(things)));
      }),
    );
  });

  test('a part stands once, before the first thing that has it', () => {
    const part = Object.freeze({ a: 1 });
    const [first, ...rest] = packedLines([{ x: part }, { y: part }]);
    assert.deepEqual(first, { part: { a: 1 } });
    assert.deepEqual(
      rest.map((line) => 'part' in line),
      [false, false],
    );
  });

  test('what looks like a part, and is none, is not packed', () => {
    const [, line] = packedLines([{ x: Object.freeze([]) }]);
    const [mark = ''] = Object.keys(Object.values(line?.thing ?? {})[0]);
    assert.deepEqual(packedLines([{ x: { [mark]: 0 } }]), [{}]);
    assert.deepEqual(unpacked(packedLines([{ x: Object.freeze({ [mark]: 0 }) }])), [{ x: { [mark]: 0 } }]);
  });

  test('what is shared can not be changed', () => {
    const share = createSharing();
    const spec = share({ env: { a: '1' } });
    assert.equal(share({ env: { a: '1' } }), spec);
    assert.throws(() => {
      spec.env.a = '2';
    }, TypeError);
  });
});
