import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Going, type Hershctl, hershctlOf } from './hershctl.ts';
import { createHost, type Host, type ProgramEvent } from './host.ts';

/** Ctrl-C, and a host that restarts, under the commands of `hershctl` that go on: at a real host, over its real end. */

let host: Host;
let hershctl: Hershctl;
let dir = '';
/** Of the API: after a restart it is where it was. */
let port = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hershctl-e2e-'));
  host = await createHost('29360-29369');
  const url = await (await host.start()).url();
  port = new URL(url).port;
  hershctl = await hershctlOf(url, dir);
  await host.writeManifest('web');
  await host.writeManifest('next', { desiredState: 'Stopped' });
  await host.untilState('web', 'Ready');
  await host.untilState('next', 'Created');
});

after(async () => {
  await host?.close();
  await rm(dir, { recursive: true, force: true });
});

async function dockerfile(folder: string, ...lines: string[]): Promise<void> {
  const head = ['FROM hersh-test/server:latest', `LABEL run=${host.marker}`];
  await mkdir(join(dir, folder));
  await writeFile(join(dir, folder, 'Dockerfile'), `${[...head, ...lines].join('\n')}\n`);
}

/** Ends by Ctrl-C, with no word of a failure. */
async function interrupted(call: Going): Promise<string> {
  call.child.kill('SIGINT');
  const { code, err } = await call.ended;
  assert.equal(code, 130, err);
  assert.doesNotMatch(err, /error/);
  return err;
}

const AWAY = /^the host is away; waiting for it/m;
const BACK = /^the host is back$/m;
const once = (text: string, line: RegExp) =>
  assert.equal(text.match(new RegExp(line.source, 'gm'))?.length, 1, `${line} in\n${text}`);

it('what follows waits for a host that restarts, loses nothing and doubles nothing; Ctrl-C ends it', async () => {
  const log = async (text: string) => host.direct(await host.get('web'), `/log?text=${text}`);
  const logs = hershctl.start('logs', 'web', '-f');
  const get = hershctl.start('get', 'web', '-w');
  const events = hershctl.start('events', 'web', '-f', '-o', 'json');
  const wait = hershctl.start('wait', 'web', 'next', '--for=Ready', '--timeout', '0');
  const top = hershctl.start('top', '-w');
  const { proxy_url: url } = await host.get('web');
  await log('before');
  await Promise.all([logs.shows(/before/), get.shows(/Ready/), events.shows(/"Ready"/), top.shows(/web/)]);
  await wait.shows(/web: Ready/);
  assert.equal(await interrupted(top), '');

  await host.stop();
  await host.direct({ proxy_url: url }, '/log?text=meanwhile');
  const followers = [logs, get, events, wait];
  await Promise.all(followers.map((one) => one.shows(AWAY)));
  await host.start({ args: ['--port', port] });
  await Promise.all(followers.map((one) => one.shows(BACK)));
  await log('behind');
  await logs.shows(/behind/);
  await host.call('POST', '/programs/next/start');
  const waited = await wait.ended;
  assert.deepEqual([waited.code, waited.out], [0, 'web: Ready\nnext: Ready\n'], waited.err);
  await host.call('POST', '/programs/web/stop');
  const read = await logs.ended;
  assert.equal(read.code, 0);
  assert.deepEqual(read.out.split('\n'), ['listening on 8080', 'before', 'meanwhile', 'behind', '']);
  assert.match(read.err, /\(the program is stopped/);
  await get.shows(/Stopped/);
  await events.shows(/"Stopped"/);
  for (const one of [get, events]) {
    const said = await interrupted(one);
    once(said, AWAY);
    once(said, BACK);
  }
  const told = events
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ProgramEvent);
  const key = ({ time, reason, message }: ProgramEvent) => `${time} ${reason} ${message}`;
  assert.deepEqual(told.map(key), (await host.events('web')).map(key));
});

it('Ctrl-C ends it before a full pipe that nobody reads', async () => {
  await host.call('POST', '/programs/web/start');
  const web = await host.untilState('web', 'Ready');
  const lines = Array.from({ length: 150 }, () => host.direct(web, `/log?text=${'x'.repeat(900)}`));
  await Promise.all(lines);
  await host.call('POST', '/programs/web/stop');
  await host.untilState('web', 'Stopped');
  // Of what ends by itself all has been written when the end is said, and a pipe holds 64 KiB of it.
  const logs = hershctl.shell('mkfifo full; exec 3<>full; become logs web -f >&3');
  await logs.shows(/the program is stopped/);
  await interrupted(logs);
});

it('Ctrl-C during a build leaves the deploy to the host, and says so', async () => {
  // The server, which never ends.
  await dockerfile('slow', 'RUN ["/server"]');
  const deploy = hershctl.start('deploy', 'slow', '--name', 'slow');
  await deploy.shows(/RUN \["\/server"\]/);
  assert.match(await interrupted(deploy), /^the deploy goes on: hershctl get slow$/m);
  assert.equal((await host.get('slow')).state, 'Building');
  const follow = hershctl.start('build-log', 'slow', '-f');
  await follow.shows(/RUN \["\/server"\]/);
  await interrupted(follow);
  await host.call('DELETE', '/programs/slow');
  await host.untilGone('slow');
});

it('a deploy goes on over a restart of the host, to its URL', async () => {
  // Time enough to end the host before it is Ready.
  await dockerfile('late', 'ENV LISTEN_AFTER_MS=15000');
  const deploy = hershctl.start('deploy', 'late', '--name', 'late');
  await deploy.shows(/late: Running/);
  await host.kill();
  await deploy.shows(AWAY);
  await host.start({ args: ['--port', port] });
  const { code, out, err } = await deploy.ended;
  assert.deepEqual([code, out], [0, `${(await host.get('late')).proxy_url}\n`], err);
  once(err, AWAY);
  once(err, BACK);
  once(err, /^late: Ready$/);
});

it('Ctrl-C while the host is away ends at once', async () => {
  const get = hershctl.start('get', '-w');
  await get.shows(/late/);
  await host.stop();
  await get.shows(AWAY);
  await interrupted(get);
  assert.equal((await hershctl.run('get')).code, 3);
});
