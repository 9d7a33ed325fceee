import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { isPortLost } from '../../../controller/loop/knock.ts';
import { UNPROBED_MS, watchPort } from '../../../controller/loop/port-watch.ts';
import { probeTcp } from '../../../controller/loop/probe-once.ts';
import { createProber, type ProbeTarget } from '../../../controller/loop/prober.ts';
import type { ProbeSpec } from '../../../schemas/program.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

/** A port that is lost, or not, as `isLost` says. */
function createBench(isProbed = true) {
  const clock = createManualClock();
  const bench = { isLost: true, isThere: true, looks: [] as number[], told: [] as string[] };
  const isLostNow = async () => {
    bench.looks.push(clock.monotonic());
    return bench.isLost;
  };
  const watch = watchPort({
    ...{ clock, port: 19001, address: '192.0.2.1', isProbed, isPortLost: isLostNow },
    isEngineThere: () => bench.isThere,
    onVerdict: (isLost) => bench.told.push(`${isLost}@${clock.monotonic()}`),
  });
  return { clock, bench, watch };
}

describe('the watch over a published port', () => {
  it('looks when a probe has failed, believes what it sees four times, and takes it back at once', async () => {
    const { clock, bench, watch } = createBench();
    await clock.advance(600_000);
    assert.deepEqual(bench.looks, [], 'while all probes succeed it costs nothing');
    watch.suspect();
    await clock.advance(2_999);
    watch.suspect();
    assert.deepEqual(bench.told, []);
    await clock.advance(1);
    assert.deepEqual(bench.told, ['true@603000']);
    assert.equal(bench.looks.length, 4);
    await clock.advance(60_000);
    assert.ok(bench.looks.length > 4, 'it goes on looking');
    bench.isLost = false;
    await clock.advance(5_000);
    assert.equal(bench.told.length, 2);
    assert.match(bench.told[1] ?? '', /^false@/);
    const { length } = bench.looks;
    await clock.advance(600_000);
    assert.equal(bench.looks.length, length);
  });

  it('begins anew where it was reached in between, or the engine was away', async () => {
    for (const change of [
      { isLost: false, isThere: true },
      { isLost: true, isThere: false },
    ]) {
      const { clock, bench, watch } = createBench();
      watch.suspect();
      await clock.advance(2_500);
      Object.assign(bench, change);
      await clock.advance(1_000);
      Object.assign(bench, { isLost: true, isThere: true });
      watch.suspect();
      await clock.advance(2_999);
      assert.deepEqual(bench.told, []);
      await clock.advance(1);
      assert.equal(bench.told.length, 1);
    }
  });

  it('looks now and then at what is not probed, and stops', async () => {
    const { clock, bench, watch } = createBench(false);
    bench.isLost = false;
    await clock.advance(3 * UNPROBED_MS);
    assert.deepEqual(bench.looks, [UNPROBED_MS, 2 * UNPROBED_MS, 3 * UNPROBED_MS]);
    bench.isLost = true;
    await clock.advance(UNPROBED_MS + 3_000);
    assert.deepEqual(bench.told, [`true@${4 * UNPROBED_MS + 3_000}`]);
    watch.stop();
    watch.suspect();
    assert.equal(clock.nextAt(), undefined);
  });
});

describe('the prober', () => {
  const probe: ProbeSpec = {
    ...{ kind: 'http', path: '/' },
    ...{ periodSeconds: 5, timeoutSeconds: 1, failureThreshold: 1 },
  };
  const target: ProbeTarget = {
    ...{ containerId: 'c1', runKey: 'c1@1', port: 19001, address: '192.0.2.1' },
    ...{ readiness: probe, liveness: { kind: 'none' }, startupMs: 0 },
  };
  const proberOf = () => {
    const clock = createManualClock();
    const seen = { answer: '', asked: [] as string[], told: 0 };
    const prober = createProber({
      clock,
      once: async (port, _, address) => {
        seen.asked.push(`${address} ${port}`);
        return seen.answer;
      },
      isPortLost: async () => seen.answer !== '',
      isEngineThere: () => true,
      onChange() {
        seen.told += 1;
      },
    });
    return { clock, seen, prober, state: () => prober.states('app').get('c1') };
  };

  it('tells that a port is lost once its probe fails, not while the program comes up, nor of another run', async () => {
    const { clock, seen, prober, state } = proberOf();
    seen.answer = 'refused';
    prober.watch('app', target);
    await clock.advance(4_000);
    assert.notEqual(state()?.portLost, true);
    await clock.advance(6_000);
    assert.equal(state()?.portLost, true);
    assert.deepEqual(new Set(seen.asked), new Set(['192.0.2.1 19001']));
    const { told } = seen;
    prober.watch('app', { ...target, address: '192.0.2.2' });
    assert.equal(state()?.portLost, false, 'what was seen was seen of another address');
    assert.equal(state()?.ready, false);
    await clock.advance(10_000);
    assert.equal(state()?.portLost, true);
    assert.ok(seen.told > told);
    prober.watch('app', { ...target, runKey: 'c1@2' });
    assert.equal(state()?.portLost, undefined);
    prober.close();
    assert.equal(clock.nextAt(), undefined);
  });

  it('concludes nothing where the address inside is not known', async () => {
    const { clock, seen, prober, state } = proberOf();
    seen.answer = 'refused';
    prober.watch('app', { ...target, address: '' });
    await clock.advance(60_000);
    assert.equal(state()?.ready, false);
    assert.equal(state()?.portLost, undefined);
  });
});

async function listen(test: TestContext, server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  test.after(() => server.close());
  return (server.address() as { port: number }).port;
}

/** A port that refuses: nobody has it any more. */
async function refusing(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a look at a published port and the address behind it', () => {
  const takes = () => createServer((socket) => void socket.destroy());

  it('is lost where the one refuses and the other takes, and nowhere else', async (test) => {
    const inside = await listen(test, takes(), '127.0.0.2');
    const published = await listen(test, takes());
    const closed = await refusing();
    assert.equal(await isPortLost(closed, '127.0.0.2', inside), true);
    assert.equal(await isPortLost(published, '127.0.0.2', inside), false);
    assert.equal(await isPortLost(closed, '127.0.0.2', closed), false, 'it does not listen');
    // Of the block that is for documents: nobody is there.
    assert.equal(await isPortLost(closed, '192.0.2.1', inside), false, 'nothing is known of it');
  });

  it('over TCP tells what listens from what only has a port, and asks that too', async (test) => {
    const inside = await listen(test, takes(), '127.0.0.2');
    // As the proxy of an engine does whose program does not listen, on a busy machine.
    const proxy = await listen(
      test,
      createServer((socket) => void test.after(() => socket.destroy())),
    );
    const closed = await refusing();
    assert.equal(await probeTcp(proxy, 1, '127.0.0.2', inside), '');
    assert.equal(await probeTcp(proxy, 1, '127.0.0.2', closed), 'nothing listens on 8080');
    assert.equal(
      await probeTcp(closed, 1, '127.0.0.2', inside),
      `it listens on 8080, and its port ${closed} refuses connections`,
    );
    assert.equal(await probeTcp(proxy, 1, ''), '', 'where no address is known, the port says what it can');
  });
});
