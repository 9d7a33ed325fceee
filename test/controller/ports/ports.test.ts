import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { createPorts, isPortFree } from '../../../controller/ports/ports.ts';
import { AppError } from '../../../schemas/errors.ts';

const RANGE = { min: 19001, max: 19004 };
const anyFree = async () => true;

describe('ports', () => {
  it('are held by one program each', () => {
    const ports = createPorts({ range: RANGE, isFree: anyFree });
    assert.equal(ports.hold('a', 19002), true);
    assert.equal(ports.hold('a', 19002), true);
    assert.equal(ports.hold('b', 19002), false);
    assert.equal(ports.holder(19002), 'a');
    assert.equal(ports.held('a'), 19002);
    assert.equal(ports.held('nobody'), 0);
    ports.release('b');
    assert.equal(ports.holder(19002), 'a');
    ports.release('a');
    assert.equal(ports.hold('b', 19002), true);
  });

  it('are given out in turn, so that one given back is not the next', async () => {
    const ports = createPorts({ range: RANGE, isFree: anyFree });
    assert.equal(await ports.reserve('a'), 19001);
    ports.release('a');
    assert.equal(await ports.reserve('b'), 19002);
    assert.equal(await ports.reserve('c'), 19003);
    assert.equal(await ports.reserve('d'), 19004);
    assert.equal(await ports.reserve('e'), 19001);
  });

  it('are not given out when held, avoided, or listened on', async () => {
    const ports = createPorts({ range: RANGE, isFree: async (port) => port !== 19003 });
    ports.hold('a', 19001);
    assert.equal(await ports.reserve('b', new Set([19002])), 19004);
    assert.equal(ports.holder(19003), undefined);
  });

  it('are never given to two that ask at the same time', async () => {
    const ports = createPorts({ range: RANGE, isFree: anyFree });
    const given = await Promise.all(['a', 'b', 'c', 'd'].map((name) => ports.reserve(name)));
    assert.equal(new Set(given).size, 4);
  });

  it('that are all in use are an error that says what to do, and holds nothing', async () => {
    const ports = createPorts({ range: RANGE, isFree: async () => false });
    await assert.rejects(ports.reserve('a'), (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.reason, 'PortsExhausted');
      assert.match(error.message, /19001 and 19004/);
      assert.match(error.hint ?? '', /--port-range/);
      return true;
    });
    for (let port = 19001; port <= 19004; port++) assert.equal(ports.holder(port), undefined);
  });

  it('are had by who serves on them before who pins them, and not before whose they are of old', () => {
    const ports = createPorts({ range: RANGE, isFree: anyFree });
    ports.pins.set('pins', 19001);
    ports.hold('pins', 19001);
    ports.hold('has', 19002);
    for (const port of [19001, 19002, 19003]) ports.serve('serves', port);
    assert.deepEqual([19001, 19002, 19003].map(ports.holder), ['serves', 'has', 'serves']);
  });

  it('of a program are let go but for the one to keep', async () => {
    const ports = createPorts({ range: RANGE, isFree: anyFree });
    ports.hold('a', 19001);
    ports.hold('a', 19002);
    ports.release('a', 19002);
    assert.equal(ports.holder(19001), undefined);
    assert.equal(ports.holder(19002), 'a');
  });

  const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === '::1'),
  );
  for (const host of ['127.0.0.1', '::1']) {
    const skip = host === '::1' && !hasIPv6 ? 'this machine has no IPv6' : false;
    // `localhost` in a proxy_url is both.
    it(`are asked of the machine, on ${host}`, { skip }, async () => {
      const server = createServer();
      const port = await new Promise<number>((resolve) => {
        server.listen(0, host, () => {
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : 0);
        });
      });
      assert.equal(await isPortFree(port), false);
      await new Promise((resolve) => server.close(resolve));
      assert.equal(await isPortFree(port), true);
    });
  }
});
