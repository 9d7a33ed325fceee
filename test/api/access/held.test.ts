import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { createHeld } from '../../../api/access/held.ts';
import { createManualClock } from '../../sim/manual-clock.ts';
import { fakeView } from '../fake-view.ts';
import { ask, proxied, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';
import { bearer, fakeAccess } from './fake-access.ts';

const SOON_MS = 2_000;

test('nothing ticks while nothing is held, and what may not go on is ended once', async () => {
  const clock = createManualClock();
  const held = createHeld(clock.after);
  assert.equal(clock.nextAt(), undefined);
  const ends: string[] = [];
  let mayOne = true;
  held.add(
    () => mayOne,
    () => ends.push('one'),
  );
  const letGo = held.add(
    () => true,
    () => ends.push('other'),
  );
  await clock.advance(10 * SOON_MS);
  assert.equal(ends.join(), '');
  mayOne = false;
  await clock.advance(SOON_MS);
  assert.equal(ends.join(), 'one');
  held.look();
  assert.notEqual(clock.nextAt(), undefined, 'one is held');
  letGo();
  await clock.advance(SOON_MS);
  assert.equal(clock.nextAt(), undefined);
  held.add(
    () => false,
    () => ends.push('later'),
  );
  await clock.advance(SOON_MS);
  assert.equal(ends.join(), 'one,later');
});

async function follow(t: TestContext, port: number, headers: Record<string, string>, path = '/events') {
  const one = await rawConnection(t, port);
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`);
  one.socket.write(`GET ${path}?follow=true HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  await until(() => one.text().includes('200 OK'));
  return one;
}

async function withSession(t: TestContext) {
  const access = fakeAccess();
  const api = await serve(t, [fakeView('hers', { userId: 'alice' })], { access });
  let nowMs = api.host.deps.now();
  api.host.deps.now = () => nowMs;
  const { token } = access.make({ role: 'user', userId: 'alice' });
  const signIn = async () => {
    const headers = { 'Content-Type': 'application/json' };
    const opened = await ask(api.port, '/session', {
      ...{ method: 'POST', headers, body: JSON.stringify({ token }) },
    });
    const { key, ends_at } = JSON.parse(opened.text) as { key: string; ends_at: string };
    const Cookie = opened.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    return { headers: { Cookie, 'X-Hersh-Session': key }, endsMs: Date.parse(ends_at) };
  };
  const setNow = (ms: number) => {
    nowMs = ms;
  };
  return { api, access, token, signIn, setNow };
}

test('a stream ends with its session, and that of the token goes on', async (t) => {
  const { api, access, token, signIn, setNow } = await withSession(t);
  const { headers, endsMs } = await signIn();
  const [browsers, others] = [await follow(t, api.port, headers), await follow(t, api.port, bearer(token))];
  setNow(endsMs - 1);
  await access.clock.advance(SOON_MS);
  assert.equal((await ask(api.port, '/programs', { headers })).status, 200);
  assert.ok(!browsers.socket.destroyed);
  setNow(endsMs);
  await access.clock.advance(SOON_MS);
  await browsers.ended;
  assert.ok(!others.socket.destroyed);
});

test('a stream ends when newer sign-ins take the place of its session', async (t) => {
  const { api, signIn } = await withSession(t);
  const { headers } = await signIn();
  const stream = await follow(t, api.port, headers);
  let isOver = false;
  void stream.ended.then(() => {
    isOver = true;
  });
  while ((await ask(api.port, '/session', { headers })).status === 200) await signIn();
  await until(() => isOver);
});

test('streams and WebSockets end when their program is given to another user', async (t) => {
  const { api, access, give, upgrade } = await echoing(t);
  const { token } = access.make({ role: 'user', userId: 'alice' });
  const operators = access.make({ role: 'admin' }).token;
  const hers = [
    await follow(t, api.port, bearer(token), '/programs/p1/events'),
    await upgrade(bearer(token)),
  ];
  const kept = await upgrade(bearer(operators));
  give({ userId: 'bob' });
  await access.clock.advance(SOON_MS);
  await Promise.all(hers.map(({ ended }) => ended));
  assert.ok(!kept.socket.destroyed);
});

test('WebSockets of strangers end when a program is not public any more', async (t) => {
  const { access, give, upgrade } = await echoing(t);
  give({ userId: 'alice', details: { proxyAccess: 'public' } });
  const strangers = await upgrade({});
  const { token } = access.make({ role: 'user', userId: 'bob' });
  const bobs = await upgrade(bearer(token));
  await access.clock.advance(SOON_MS);
  assert.ok(!strangers.socket.destroyed);
  give({ userId: 'alice', details: { proxyAccess: 'token' } });
  await access.clock.advance(SOON_MS);
  await Promise.all([strangers.ended, bobs.ended]);
});

test('whoever removes a program gets an answer though it is gone by then', async (t) => {
  const { api, access } = await echoing(t);
  const headers = bearer(access.make({ role: 'user', userId: 'alice' }).token);
  const { remove } = api.host.deps.programs;
  api.host.deps.programs.remove = async (name) => {
    await remove(name);
    await access.clock.advance(SOON_MS);
  };
  assert.equal((await ask(api.port, '/programs/p1', { method: 'DELETE', headers })).status, 200);
});

/** A program of alice that takes every upgrade. */
async function echoing(t: TestContext) {
  const access = fakeAccess();
  const { api, program } = await proxied(t, (_req, res) => res.end(), { access, userId: 'alice' });
  program.server.on('upgrade', (_req, socket: Duplex) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
    t.after(() => socket.destroy());
  });
  const upgrade = async (headers: Record<string, string>) => {
    const one = await rawConnection(t, api.port);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    one.socket.write(
      `GET /programs/p1/proxy/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines.join('')}\r\n`,
    );
    await until(() => one.text().startsWith('HTTP/1.1 101'));
    return one;
  };
  const give = (view: Parameters<typeof fakeView>[1]) =>
    api.host.put(fakeView('p1', { port: program.port, ...view }));
  return { api, access, upgrade, give };
}
