import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';
import { fakeAccess } from './fake-access.ts';

const happened = (reason: string, second: number) => ({
  ...{ type: 'Normal' as const, message: '', state: 'Ready' as const, revision: 1, reason },
  time: `2026-11-22T10:00:0${second}.000Z`,
});

async function followed(t: TestContext) {
  const access = fakeAccess();
  const views = [fakeView('alices', { userId: 'alice' }), fakeView('bobs', { userId: 'bob' })];
  const { port, host } = await serve(t, views, { access });
  const follow = async (token: string, lastId = '') => {
    const one = await rawConnection(t, port);
    const id = lastId === '' ? '' : `Last-Event-ID: ${lastId}\r\n`;
    one.socket.write(
      `GET /events?follow=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${id}\r\n`,
    );
    await until(() => /event: synced|: following/.test(one.text()));
    return one;
  };
  const alice = access.make({ role: 'user', userId: 'alice' }).token;
  return { host, follow, alice, admin: access.make({ role: 'admin' }).token };
}

test('of what happens at one moment each user is told their own, and ids name no program of others', async (t) => {
  const { host, follow, alice, admin } = await followed(t);
  const [hers, all] = [await follow(alice), await follow(admin)];
  host.emit('bobs', happened('Theirs', 1));
  host.emit('alices', happened('Own', 1));
  host.emit('bobs', happened('Later', 1));
  await until(() => all.text().includes('Later') && hers.text().includes('Own'));
  host.put(fakeView('bobs', { userId: 'bob', state: 'Stopped' }));
  host.put(fakeView('alices', { userId: 'alice', state: 'Stopped' }));
  await until(() => hers.text().includes('"Stopped"') && (all.text().match(/"Stopped"/g) ?? []).length === 2);
  assert.ok(!hers.text().includes('bobs'), hers.text());
  assert.match(hers.text(), /"count":1\}/);
  // It goes on behind the last, and is told nothing twice.
  const last = [...hers.text().matchAll(/^id: (\S+)/gm)].at(-1)?.[1] ?? assert.fail('no id');
  host.emit('bobs', happened('Hidden', 2));
  host.emit('alices', happened('Missed', 2));
  const again = await follow(alice, last);
  await until(() => again.text().includes('Missed'));
  assert.ok(!/bobs|Own|snapshot/.test(again.text()), again.text());
});

test('a program that two users have a claim to is gone for the one, and not yet the other’s', async (t) => {
  const { host, follow, alice, admin } = await followed(t);
  const [hers, all] = [await follow(alice), await follow(admin)];
  // Nothing that is shown of it is another: the manifest alone names somebody else.
  host.put(fakeView('alices', { userId: 'alice', owner: undefined }));
  await until(() => /event: removed\ndata: \{"program_id":"alices"\}/.test(hers.text()));
  host.emit('alices', happened('Between', 1));
  host.put(fakeView('bobs', { userId: 'bob', state: 'Stopped' }));
  await until(() => all.text().includes('"Stopped"') && all.text().includes('Between'));
  assert.ok(!hers.text().includes('Between'));
  assert.ok(!all.text().includes('event: removed'));
  host.put(fakeView('alices', { userId: 'alice' }));
  await until(() => (hers.text().match(/event: program/g) ?? []).length === 2);
});

test('a program that is given to another user is gone for the one, and only another for the operator', async (t) => {
  const { host, follow, alice, admin } = await followed(t);
  const [hers, all] = [await follow(alice), await follow(admin)];
  host.put(fakeView('alices', { userId: 'bob' }));
  await until(() => /event: removed\ndata: \{"program_id":"alices"\}/.test(hers.text()));
  await until(() => (all.text().match(/"user_id":"bob"/g) ?? []).length === 2);
  host.put(fakeView('bobs', { userId: 'alice' }));
  await until(() => hers.text().includes('"program_id":"bobs"'));
  assert.ok(!all.text().includes('event: removed'));
});
