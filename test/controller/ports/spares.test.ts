import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPorts } from '../../../controller/ports/ports.ts';

const RANGE = { min: 19001, max: 19004 };

/** Ports of which some have spares; to whoever asks the machine, those are taken. */
function createBench(spares: readonly number[], taken: readonly number[] = []) {
  const held: number[] = [];
  const ports = createPorts({
    range: RANGE,
    isFree: async (port) => ![...spares, ...taken].includes(port),
    onSpareHeld: () => void held.push(held.length),
  });
  ports.setSpares(spares);
  return { ports, held };
}

describe('ports of spare sandboxes', () => {
  it('go first to who has a use for one, and tell', async () => {
    const { ports, held } = createBench([19003]);
    assert.equal(await ports.reserve('a'), 19003);
    assert.equal(held.length, 1);
    assert.equal(await ports.reserve('b'), 19001);
    assert.equal(held.length, 1);
  });

  it('go last to who has none, and to nobody who avoids them', async () => {
    const { ports, held } = createBench([19001]);
    const others = [19002, 19003, 19004];
    for (const port of others) assert.equal(await ports.reserve(`p${port}`, undefined, false), port);
    await assert.rejects(ports.reserve('a', new Set([19001])), { reason: 'PortsExhausted' });
    assert.equal(held.length, 0);
    assert.equal(await ports.reserve('a', undefined, false), 19001);
    assert.equal(held.length, 1);
  });

  it('are free for who pins one, which tells once', async () => {
    const { ports, held } = createBench([19002]);
    assert.equal(await ports.isFree(19002), true);
    assert.equal(ports.hold('a', 19002), true);
    assert.equal(ports.hold('a', 19002), true);
    assert.equal(held.length, 1);
    assert.equal(ports.hold('b', 19002), false);
    assert.equal(await ports.reserve('b'), 19001);
    ports.release('a');
    assert.equal(await ports.reserve('c'), 19002);
  });

  it('are looked for as others are: held by nobody, and none twice', async () => {
    const { ports } = createBench([], [19001]);
    ports.hold('a', 19002);
    const found = await Promise.all([ports.addSpare(), ports.addSpare(), ports.addSpare()]);
    assert.deepEqual(new Set(found), new Set([undefined, 19003, 19004]));
    assert.equal(ports.holder(19003), undefined);
    assert.equal(await ports.reserve('b'), 19003);
  });

  it('are not those that somebody pins while they are looked at', async () => {
    let look = (): void => undefined;
    const looked = new Promise<void>((resolve) => {
      look = resolve;
    });
    const ports = createPorts({ range: RANGE, isFree: () => looked.then(() => true) });
    const adding = ports.addSpare();
    assert.equal(ports.hold('a', 19001), true);
    look();
    assert.equal(await adding, undefined);
  });
});
