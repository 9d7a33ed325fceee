import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { lineOfStep } from '../../api/cli/sources/dockerfile-line.ts';
import { readFolder } from '../../api/cli/sources/read-folder.ts';
import { type BuildStep, emptyBuild } from '../../schemas/build-step.ts';
import type { ProgramState } from '../../schemas/program.ts';
import { CREATED_AT, fakeView } from '../api/fake-view.ts';
import type { FakeHost } from '../api/fakes.ts';
import { until } from '../api/until.ts';
import { cli } from './cli.ts';

async function folder(dir: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
}

const APP = { 'app/Dockerfile': 'FROM scratch\nCOPY main.mjs .\nRUN false\n', 'app/main.mjs': 'x' };
const event = (reason: string) => ({
  ...{
    time: CREATED_AT,
    type: 'Warning' as const,
    reason,
    message: reason,
    state: 'Error' as const,
    revision: 1,
  },
});

function turn(
  host: FakeHost,
  name: string,
  state: ProgramState,
  status: object = {},
  details: object = {},
): void {
  host.put(fakeView(name, { state, userId: 'ann', status: { buildId: buildOf(host), ...status }, details }));
}

/** The build id that the last call brought. */
function buildOf(host: FakeHost): string {
  const [view] = [...host.views.values()].filter(({ status }) => status.buildId !== '');
  const put = host.calls.findLast((call) => call.startsWith('sources '));
  return put === undefined ? (view?.status.buildId ?? '') : (put.split(' ')[2] ?? '');
}

const records = (...list: object[]) => list.map((one) => Buffer.from(`${JSON.stringify(one)}\n`));

test('deploy creates, starts, shows steps and states, and ends with the URL', async (t) => {
  const { host, dir, start } = await cli(t);
  await folder(dir, { ...APP, 'app/.dockerignore': '*.log\n', 'app/a.log': 'y', 'app/src/b.txt': 'z' });
  const deploy = start({}, 'deploy', 'app', '--name', 'web', '--user', 'ann');
  await until(() => host.calls.some((call) => call.startsWith('edit web')));
  assert.deepEqual(host.calls.slice(0, 3), [
    'reserve web',
    'create web ann .dockerignore,Dockerfile,main.mjs,src/b.txt',
    'edit web {"desiredState":"Running"}',
  ]);
  // The newest is another one, as long as that is not begun.
  host.buildChunks = records(
    { kind: 'build', build_id: 'build-of-before', started: CREATED_AT },
    { kind: 'step', number: 1, name: '[1/1] of before', started: CREATED_AT },
    { kind: 'done', ended: CREATED_AT, outcome: 'Failed', error: 'no' },
  );
  turn(host, 'web', 'Building');
  await deploy.shows('web: Building');
  host.buildChunks = records(
    { kind: 'build', build_id: buildOf(host), started: CREATED_AT },
    { kind: 'step', number: 1, name: '[1/3] FROM scratch', started: CREATED_AT },
    { kind: 'end', number: 1, completed: '2026-11-22T10:00:01.500Z', cached: false, error: '' },
    { kind: 'done', ended: CREATED_AT, outcome: 'Succeeded', error: '' },
  );
  await deploy.shows('[1/3] FROM scratch 1.5s');
  turn(host, 'web', 'Starting');
  await deploy.shows('web: Starting');
  turn(host, 'web', 'Ready');
  const { code, out, err } = await deploy.ended;
  assert.deepEqual([code, out], [0, 'http://localhost:19005\n']);
  assert.match(err, /^web: created\n/);
  assert.doesNotMatch(err, /of before/);
  assert.match(err, /web: Ready\n$/);
});

test('a host that is too old to take a name is told apart, and nothing is started', async (t) => {
  const { host, dir, call } = await cli(t);
  await folder(dir, APP);
  const fetchAsOld: typeof fetch = async (url, init) => {
    if (init?.method !== 'POST' || typeof init.body !== 'string') return await fetch(url, init);
    const { name: _, ...body } = JSON.parse(init.body) as { name?: string };
    return await fetch(url, { ...init, body: JSON.stringify(body) });
  };
  const { code, err } = await call({ fetch: fetchAsOld }, 'deploy', 'app', '-u', 'ann', '-n', 'web');
  assert.equal(code, 1);
  assert.match(
    err,
    /older than this command: it takes no name, and created ann-build-\S+, which is not started/,
  );
  assert.match(err, /hershctl delete ann-build-/);
  assert.deepEqual(
    host.calls.filter((one) => one.startsWith('edit')),
    [],
  );
});

test('a build that fails ends with its last lines, the line of the Dockerfile, and 1', async (t) => {
  const { host, dir, start } = await cli(t);
  await folder(dir, APP);
  const step: BuildStep = {
    ...{ number: 3, name: '[3/3] RUN false', cached: false, started: CREATED_AT, completed: CREATED_AT },
    ...{ error: 'exit code: 1', output: ['trying', 'it is\u001b[31m false'] },
  };
  const deploy = start({}, 'deploy', './app', '-u', 'ann', '-n', 'web');
  await until(() => host.calls.some((call) => call.startsWith('edit web')));
  host.build = { ...emptyBuild(buildOf(host)), outcome: 'Failed', steps: [step], error: 'it failed' };
  turn(host, 'web', 'Building');
  await deploy.shows('Building');
  const failed = { reason: 'BuildFailed', errorMsg: 'long words' };
  turn(host, 'web', 'Error', failed, { nextTryAt: '2026-11-22T10:00:01.000Z' });
  host.emit('web', event('BuildFailed'));
  await until(() => deploy.err().includes('Building'));
  assert.doesNotMatch(deploy.err(), /failed/, 'it is tried again');
  turn(host, 'web', 'Error', failed);
  const { code, out, err } = await deploy.ended;
  assert.deepEqual([code, out], [1, '']);
  assert.match(
    err,
    /error: the build of web failed\n\[3\/3\] RUN false\n {2}trying\n {2}it is false\nexit code: 1\n\.\/app\/Dockerfile:3: RUN false\nhershctl describe web\n$/,
  );
});

test('a name that is there gets the files in place; what ran before goes on where they do not do', async (t) => {
  const { host, dir, start, run } = await cli(t, [
    fakeView('web', { userId: 'ann', status: { reason: 'RolledBack' } }),
    fakeView('off', { userId: 'ann', state: 'Stopped', desiredState: 'Stopped' }),
  ]);
  await folder(dir, APP);
  const deploy = start({}, 'deploy', 'app', '--name', 'web');
  await deploy.shows('a new revision is made of 2 files');
  assert.match(host.calls[0] ?? '', /^sources web build-\w+ Dockerfile,main.mjs$/);
  turn(host, 'web', 'Ready', { reason: 'Building', buildId: 'build-of-before' });
  await deploy.shows('Building');
  turn(host, 'web', 'Ready', {
    reason: 'RolledBack',
    errorMsg: 'revision 2: exited',
    buildId: 'build-of-before',
  });
  host.emit('web', event('RolledBack'));
  const { code, err } = await deploy.ended;
  assert.equal(code, 1);
  assert.match(err, /error: web: RolledBack: revision 2: exited\n/);
  assert.match(err, /Revision 1 goes on serving/);

  const off = start({}, 'deploy', 'app', '--name', 'off', '-o', 'json');
  await until(() => host.calls.includes('edit off {"desiredState":"Running"}'));
  turn(host, 'off', 'Ready');
  assert.equal(JSON.parse((await off.ended).out).program_id, 'off');
  assert.equal((await run('deploy', 'app', '--name', 'web', '--user', 'bob')).code, 5);
});

test('what did not change is told, and is Ready as it is', async (t) => {
  const { host, dir, start } = await cli(t, [fakeView('web', { userId: 'ann' })]);
  await folder(dir, { ...APP, 'app/same': '' });
  const deploy = start({}, 'deploy', 'app', '--name', 'web');
  await deploy.shows('nothing changed');
  turn(host, 'web', 'Ready');
  assert.equal((await deploy.ended).code, 0);
});

test('Ctrl-C leaves nothing half done, and says what goes on; a time limit is 124', async (t) => {
  const { dir, host, start } = await cli(t);
  await folder(dir, APP);
  const deploy = start({}, 'deploy', 'app', '-u', 'ann', '-n', 'web');
  await until(() => host.calls.some((call) => call.startsWith('edit web')));
  deploy.interrupt();
  const { code, err } = await deploy.ended;
  assert.equal(code, 130);
  assert.match(err, /the deploy goes on: hershctl get web\n$/);
  const late = start({}, 'deploy', 'app', '-u', 'ann', '-n', 'late', '--timeout', '5m');
  await late.shows('late: Created');
  late.passTime();
  const ended = await late.ended;
  assert.equal(ended.code, 124);
  assert.match(ended.err, /not Ready in 300 s\nthe deploy goes on: hershctl get late/);
  const detached = await start({}, 'deploy', 'app', '-u', 'ann', '--detach').ended;
  assert.deepEqual([detached.code, detached.out], [0, 'http://localhost:19005\n']);
});

test('folders that can not be sent are told before anything is asked for', async (t) => {
  const { host, dir, run } = await cli(t);
  await folder(dir, {
    'none/a': '',
    'empty/Dockerfile': ' \n',
    'bad/Dockerfile': 'FROM scratch\n',
    'bad/a.bin': new Uint8Array([0xff, 0xfe]),
    'ignore/Dockerfile': 'FROM scratch\n',
    'ignore/.dockerignore': '[\n',
    file: '',
  });
  await symlink('a.bin', join(dir, 'bad/link'));
  const cases: [argv: string[], code: number, words: RegExp][] = [
    [['nowhere'], 4, /there is no nowhere/],
    [['file'], 2, /file is no folder/],
    [['none'], 4, /none has no Dockerfile/],
    [['empty'], 1, /empty\/Dockerfile is empty/],
    [
      ['bad'],
      1,
      /what can not be sent:\n {2}link is a link\n {2}a.bin is no text \(UTF-8\)\nList it in .dockerignore/,
    ],
    [['ignore'], 1, /ignore\/.dockerignore can not be used: .*line 1/],
    [['bad', '--name', '../x'], 2, /can not be the name of a program/],
  ];
  for (const [argv, code, words] of cases) {
    const ended = await run('deploy', ...argv);
    assert.equal(ended.code, code, argv.join(' '));
    assert.match(ended.err, words);
  }
  assert.deepEqual(host.calls, []);
});

test('what is read of a folder: .git and what is left out stay here, and what lets in again comes', async (t) => {
  const { dir } = await cli(t);
  await folder(dir, {
    'f/Dockerfile': 'FROM scratch\n',
    'f/.dockerignore': 'out\n!out/in.txt\n.dockerignore\n',
    'f/.git/config': '',
    'f/out/a.txt': '',
    'f/out/in.txt': '\uFEFFé',
    'f/run.sh': '',
  });
  await writeFile(join(dir, 'f/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(dir, 'f/exec.sh'), '#!/bin/sh\n', { mode: 0o755 });
  const { files, warnings } = await readFolder(join(dir, 'f'), 'f');
  assert.deepEqual(Object.keys(files).sort(), ['.dockerignore', 'exec.sh', 'out/in.txt', 'run.sh']);
  assert.equal(files['out/in.txt'], '\uFEFFé');
  assert.match(warnings[0] ?? '', /^exec.sh.*: executable here/);
  await writeFile(join(dir, 'f/large'), Buffer.alloc(33 * 2 ** 20, 'a'));
  await assert.rejects(readFolder(join(dir, 'f'), 'f'), /f has 33.0 MiB.*\n +33.0 MiB {2}large/);
});

test('the line of a step, where one alone is meant', () => {
  const text = '# x\nFROM a AS build\nRUN one \\\n  && two\n\nCOPY . .\nCOPY . .\n';
  assert.equal(lineOfStep(text, '[build 2/5] RUN one   && two'), 3);
  assert.equal(lineOfStep(text, '[1/2] FROM a AS build'), 2);
  assert.equal(lineOfStep(text, '[3/4] COPY . .'), undefined);
  assert.equal(lineOfStep(text, 'exporting to image'), undefined);
});
