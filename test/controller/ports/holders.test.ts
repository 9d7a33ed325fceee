import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createHolders } from '../../../controller/ports/holders.ts';

const RANGE = { min: 19002, max: 19004 };
const port = fc.integer({ min: RANGE.min - 1, max: RANGE.max + 1 });
const name = fc.constantFrom('a', 'b', 'c');
const step = fc.tuple(port, fc.option(name, { nil: undefined }));

describe('who holds which port', () => {
  it('is the same from either side, whatever was held and let go of', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const holders = createHolders(RANGE);
        const known = new Map<number, string>();
        for (const [at, who] of steps) {
          if (who === undefined) holders.delete(at);
          else holders.set(at, who);
          if (who === undefined) known.delete(at);
          else known.set(at, who);
        }
        const held = [...known.keys()];
        for (const one of held) assert.equal(holders.of(one), known.get(one));
        for (const who of ['a', 'b', 'c']) {
          const own = held.filter((one) => known.get(one) === who);
          assert.deepEqual([...holders.portsOf(who)].sort(), own.sort());
        }
        const isIn = (one: number) => one >= RANGE.min && one <= RANGE.max;
        assert.equal(holders.inRange, held.filter(isIn).length);
      }),
    );
  });

  it('is told in the order in which a program came to hold them', () => {
    const holders = createHolders(RANGE);
    for (const at of [RANGE.max, RANGE.min, RANGE.max]) holders.set(at, 'a');
    assert.deepEqual(holders.portsOf('a'), [RANGE.max, RANGE.min]);
  });
});
