import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { probeOnce, TCP_LINGER_MS } from '../../../controller/loop/probe-once.ts';
import { createProber, type ProbeTarget } from '../../../controller/loop/prober.ts';
import type { ProbeSpec } from '../../../schemas/program.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

const TIMING = { periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 3 };
const HTTP: ProbeSpec = { kind: 'http', path: '/watcher/status', ...TIMING };
const TCP: ProbeSpec = { kind: 'tcp', ...TIMING };
const NONE: ProbeSpec = { kind: 'none' };
const TARGET: ProbeTarget = {
  ...{ containerId: 'c1', runKey: 'c1@1', port: 19001, address: '' },
  ...{ readiness: HTTP, liveness: NONE, startupMs: 20_000 },
};

/** A prober whose program answers what `answer` says. */
function createBench() {
  const clock = createManualClock();
  const bench = { clock, answer: '', asked: [] as number[], told: [] as string[], failed: [] as string[] };
  const prober = createProber({
    clock,
    async once() {
      bench.asked.push(clock.monotonic());
      return bench.answer;
    },
    isPortLost: async () => false,
    isEngineThere: () => true,
    onChange: (name) => bench.told.push(`${name}@${clock.monotonic()}`),
    onFailure: (name, probe) => bench.failed.push(`${name} ${probe}@${clock.monotonic()}`),
  });
  return { ...bench, bench, prober, stateOf: () => prober.states('app').get('c1') };
}

describe('the prober', () => {
  it('asks every 25 ms at first, and at the period once it was answered', async () => {
    const { bench, clock, prober, stateOf } = createBench();
    bench.answer = 'refused';
    prober.watch('app', TARGET);
    await clock.advance(60);
    assert.deepEqual(bench.asked, [0, 25, 50]);
    assert.equal(stateOf()?.ready, undefined, 'failures say nothing while it starts');
    assert.equal(stateOf()?.message, 'refused');
    bench.answer = '';
    await clock.advance(15);
    assert.equal(stateOf()?.ready, true);
    assert.deepEqual(bench.told, ['app@75']);
    await clock.advance(6_000);
    assert.deepEqual(bench.asked.slice(3), [75, 2_075, 4_075, 6_075]);
    assert.deepEqual(bench.told, ['app@75'], 'what goes on as it was is not told');
  });

  it('tells each failure, but for those while it comes up', async () => {
    const { bench, clock, prober } = createBench();
    bench.answer = 'refused';
    prober.watch('app', { ...TARGET, readiness: NONE, liveness: HTTP });
    await clock.advance(20_000);
    assert.deepEqual(bench.failed, ['app liveness@20000'], 'liveness leaves it its time to start');
    bench.failed.length = 0;
    prober.watch('app', TARGET);
    await clock.advance(1_900);
    assert.deepEqual(bench.failed, []);
    await clock.advance(4_200);
    assert.deepEqual(bench.failed, ['app readiness@22000', 'app readiness@24000', 'app readiness@26000']);
    prober.watch('app', undefined);
    await clock.advance(10_000);
    assert.equal(bench.failed.length, 3);
  });

  it('says not ready after two seconds without an answer, and asks at the period from then on', async () => {
    const { bench, clock, prober, stateOf } = createBench();
    bench.answer = 'refused';
    prober.watch('app', TARGET);
    await clock.advance(2_000);
    assert.equal(stateOf()?.ready, false);
    const asked = bench.asked.length;
    await clock.advance(10_000);
    assert.equal(bench.asked.length, asked + 5);
  });

  it('takes Ready away after as many failures in a row as the threshold, and gives it back at once', async () => {
    const { bench, clock, prober, stateOf } = createBench();
    prober.watch('app', TARGET);
    await clock.advance(0);
    bench.answer = 'answered 503';
    await clock.advance(4_000);
    assert.equal(stateOf()?.ready, true, 'two failures are not three');
    bench.answer = '';
    await clock.advance(2_000);
    bench.answer = 'answered 503';
    await clock.advance(6_000);
    assert.equal(stateOf()?.ready, false);
    assert.equal(stateOf()?.message, 'answered 503');
    bench.answer = '';
    await clock.advance(2_000);
    assert.equal(stateOf()?.ready, true);
    assert.equal(stateOf()?.message, '');
    assert.equal(bench.told.length, 3);
  });

  it('asks for liveness only after its first period', async () => {
    const { bench, clock, prober, stateOf } = createBench();
    bench.answer = 'stuck';
    prober.watch('app', { ...TARGET, readiness: NONE, liveness: { ...HTTP, periodSeconds: 10 } });
    await clock.advance(9_999);
    assert.deepEqual(bench.asked, []);
    await clock.advance(20_001);
    assert.equal(stateOf()?.live, false);
    assert.equal(stateOf()?.ready, undefined);
  });

  it('leaves what has not answered yet its time to come up, and none to what has', async () => {
    const { bench, clock, prober, stateOf } = createBench();
    const target = { ...TARGET, liveness: HTTP, startupMs: 60_000 };
    bench.answer = 'refused';
    prober.watch('app', target);
    await clock.advance(59_999);
    assert.equal(stateOf()?.live, undefined, 'a slow start is no hang');
    await clock.advance(2_001);
    assert.deepEqual([stateOf()?.live, stateOf()?.liveMessage], [false, 'refused']);
    bench.answer = '';
    prober.watch('app', { ...target, runKey: 'c1@2' });
    await clock.advance(3_000);
    bench.answer = 'stuck';
    await clock.advance(6_000);
    assert.equal(stateOf()?.live, false);
  });

  it('goes on with the same target, starts over with another run, and stops', async () => {
    const { bench, clock, prober, stateOf } = createBench();
    prober.watch('app', TARGET);
    await clock.advance(0);
    prober.watch('app', { ...TARGET });
    await clock.advance(1_000);
    assert.deepEqual(bench.asked, [0], 'the same target');
    prober.watch('app', { ...TARGET, readiness: { ...HTTP, path: '/' } });
    assert.equal(stateOf()?.ready, true, 'another probe of the same run keeps the verdict');
    prober.watch('app', { ...TARGET, runKey: 'c1@2' });
    assert.equal(stateOf()?.ready, undefined, 'another run has none yet');
    prober.watch('app', undefined);
    assert.equal(prober.states('app').size, 0);
    prober.watch('b', { ...TARGET, containerId: 'c2' });
    prober.close();
    assert.equal(clock.nextAt(), undefined);
  });
});

async function listen(test: TestContext, server: Server): Promise<number> {
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  test.after(() => server.close());
  return port;
}

describe('one probe', () => {
  it('over HTTP takes any 2xx, whatever the body says, and tells anything else', async (test) => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['user-agent']}`);
      response.statusCode = Number(request.url?.slice(1)) || 200;
      response.end('{"state":"InitRun"}');
    });
    const port = await listen(test, server);
    const ask = (path: string) => probeOnce(port, { ...HTTP, path }, '');
    assert.equal(await ask('/watcher/status'), '');
    assert.equal(await ask('/204'), '');
    assert.equal(await ask('/302'), 'GET /302 answered 302');
    assert.equal(await ask('/503'), 'GET /503 answered 503');
    assert.equal(seen[0], 'GET /watcher/status hersh-probe');
  });

  it('over HTTP sends the headers it is given, takes what is expected and follows no redirect', async (test) => {
    const seen: (string | undefined)[][] = [];
    const server = createServer(({ url, headers }, response) => {
      seen.push([url, headers.host, headers.authorization, headers['user-agent'], headers.connection]);
      response.writeHead(url === '/' ? 302 : 500, { location: '/signin' }).end();
    });
    const port = await listen(test, server);
    const headers = { Host: 'app.example', authorization: 'Bearer t', 'USER-AGENT': 'mine' };
    const root: ProbeSpec = { ...HTTP, path: '/' };
    assert.equal(await probeOnce(port, { ...root, headers, expect: [200, '300-399'] }, ''), '');
    assert.equal(
      await probeOnce(port, { ...root, headers, expect: ['200-204', 401] }, ''),
      'GET / answered 302, which is none of 200-204, 401',
    );
    assert.equal(await probeOnce(port, { ...root, expect: ['302'] }, ''), '');
    const own = ['/', 'app.example', 'Bearer t', 'mine', 'close'];
    assert.deepEqual(seen, [own, own, ['/', `127.0.0.1:${port}`, undefined, 'hersh-probe', 'close']]);
  });

  it('over HTTP gives up in its time on one that says nothing, and tells one that hangs up', async (test) => {
    const silent = await listen(
      test,
      createTcpServer((socket) => void test.after(() => socket.destroy())),
    );
    assert.match(await probeOnce(silent, { ...HTTP, timeoutSeconds: 0.05 }, ''), /no answer within 0.05 s/);
    const rude = await listen(
      test,
      createTcpServer((socket) => void socket.destroy()),
    );
    const resets = await listen(
      test,
      createTcpServer((socket) => void socket.resetAndDestroy()),
    );
    const wanted =
      'GET /watcher/status: the connection was closed without an answer; does the program listen on 8080?';
    for (const port of [rude, resets]) assert.equal(await probeOnce(port, HTTP, ''), wanted);
  });

  it('over TCP takes a connection that stays or speaks, and not one that is hung up at once', async (test) => {
    const open = await listen(
      test,
      createTcpServer((socket) => void test.after(() => socket.destroy())),
    );
    assert.equal(await probeOnce(open, TCP, ''), '');
    const speaks = await listen(
      test,
      createTcpServer((socket) => void socket.end('hello')),
    );
    assert.equal(await probeOnce(speaks, TCP, ''), '');
    const rude = await listen(
      test,
      createTcpServer((socket) => void socket.destroy()),
    );
    assert.match(await probeOnce(rude, TCP, ''), /^the connection was closed without an answer/);
  });

  it('over TCP sees that it is hung up though the loop is busy until the time of that is over', async (test) => {
    const busy = new Int32Array(new SharedArrayBuffer(4));
    const rude = createTcpServer((socket) => {
      socket.destroy();
      // When both sides have the connection, and before this one looks what came over it.
      setImmediate(() => Atomics.wait(busy, 0, 0, 2 * TCP_LINGER_MS));
    });
    assert.match(
      await probeOnce(await listen(test, rude), TCP, ''),
      /^the connection was closed without an answer/,
    );
  });

  it('of a port nobody listens on fails, and none at all succeeds', async (test) => {
    const server = createTcpServer();
    const port = await listen(test, server);
    await new Promise((resolve) => server.close(resolve));
    for (const probe of [HTTP, TCP]) assert.match(await probeOnce(port, probe, ''), /ECONNREFUSED/);
    assert.equal(await probeOnce(port, NONE, ''), '');
  });
});
