import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkRuntimes, describeEngine } from '../../api/cli/doctor/engine.ts';
import type { Finding } from '../../api/cli/doctor/finding.ts';
import { checkGit, checkNode, describeDisk, describePorts, listening } from '../../api/cli/doctor/machine.ts';
import type { EngineSurvey } from '../../controller/engine/docker/survey.ts';
import { fakeView } from '../api/fake-view.ts';
import { type Cli, cli } from './cli.ts';

/** No engine: what is asked of it fails at once. */
const NO_ENGINE = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
const NO_HOST = { ...NO_ENGINE, HERSH_SERVER: 'http://127.0.0.1:1' };

async function findings({ call, dir }: Cli, env: Record<string, string>, ...more: string[]) {
  const { code, out } = await call({ env }, 'doctor', '-o', 'json', '--registry', dir, ...more);
  const { findings: all, failed } = JSON.parse(out) as { findings: Finding[]; failed: number };
  assert.equal(code, failed > 0 ? 1 : 0);
  for (const one of all) assert.equal(one.mend === '', one.status === 'ok', JSON.stringify(one));
  return (check: string) => all.find((one) => one.check === check);
}

test('doctor looks at what a host needs where none runs', async (t) => {
  const one = await cli(t);
  const of = await findings(one, NO_HOST);
  assert.equal(of('host')?.status, 'warning');
  assert.match(of('engine')?.message ?? '', /the Docker engine does not answer/);
  assert.match(of('engine')?.mend ?? '', /^sudo systemctl start docker/);
  for (const check of ['node', 'registry', 'lock', 'manifests']) assert.equal(of(check)?.status, 'ok', check);
  const text = await one.call({ env: NO_HOST }, 'doctor', '--registry', one.dir);
  assert.equal(text.code, 1);
  assert.match(text.out, /^FAIL engine .*\n +→ sudo systemctl start docker/m);
});

test('doctor tells what is wrong with a registry, and with settings', async (t) => {
  const one = await cli(t);
  mkdirSync(join(one.dir, 'programs'));
  writeFileSync(join(one.dir, 'programs', 'web.yaml'), 'apiVersion: hersh.dev/v1\nkind: Progam\n');
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', one.dir, '-c', 'init.defaultBranch=main', ...args]);
  git('init', '-q');
  writeFileSync(join(one.dir, '.git', 'MERGE_HEAD'), '');
  const of = await findings(one, NO_HOST);
  assert.match(of('manifests')?.message ?? '', /programs\/web\.yaml:2:\d+: /);
  assert.match(of('git-state')?.message ?? '', /^a merge stands half done/);
  assert.match(of('git-state')?.mend ?? '', /git -C \S+ merge --abort$/);
  if (process.getuid?.() !== 0) {
    chmodSync(join(one.dir, 'programs'), 0o500);
    assert.match((await findings(one, NO_HOST))('registry')?.message ?? '', /can not be read and written/);
    chmodSync(join(one.dir, 'programs'), 0o700);
  }
  const gone = await findings(one, NO_HOST, '--registry', join(one.dir, 'gone'));
  assert.match(gone('registry')?.message ?? '', /^there is no /);
  const wrong = await findings(one, { ...NO_HOST, HERSH_PORT_RANGE: 'many' });
  assert.match(wrong('settings')?.message ?? '', /HERSH_PORT_RANGE/);
});

test('doctor adds what a host tells, and of one elsewhere tells nothing else', async (t) => {
  const one = await cli(t, [fakeView('web')]);
  one.host.view = {
    ...one.host.view,
    engine: { ...one.host.view.engine, message: 'the engine is silent' },
    warnings: [
      { code: 'StrayContainers', message: 'two of them', names: ['x'], confirm: 'strays', since: '' },
    ],
  };
  const of = await findings(one, NO_ENGINE);
  assert.equal(of('host')?.status, 'ok');
  assert.equal(of('host-engine')?.status, 'failed');
  assert.match(of('host-StrayContainers')?.mend ?? '', /curl -X POST \S+\/registry\/prune\?only=strays$/);
  const elsewhere = await one.call(
    { fetch: (url, init) => fetch(String(url).replace('elsewhere:9', `127.0.0.1:${one.port}`), init) },
    ...['--server', 'http://elsewhere:9', 'doctor', '-o', 'json'],
  );
  const checks = (JSON.parse(elsewhere.out) as { findings: Finding[] }).findings.map(({ check }) => check);
  assert.deepEqual(checks, ['host', 'versions', 'host-engine', 'host-ports', 'host-StrayContainers']);
  assert.match(elsewhere.err, /only what it tells was looked at/);
  const away = await one.call({}, '--server', 'http://127.0.0.2:1', 'doctor', '--registry', '/nowhere');
  assert.equal(away.code, 1);
});

const SURVEY: EngineSurvey = {
  ...{ version: '20.10.24', storageDriver: 'overlay2', dataFolder: '/var/lib/docker', cgroupVersion: '2' },
  ...{ cgroupDriver: 'systemd', runtimes: new Map([['runc', 'runc']]), lacks: [], isHere: true },
  machine: 'x86_64',
};

test('an engine is told to be too old, slow, or without limits', () => {
  const told = (more: Partial<EngineSurvey>) =>
    describeEngine({ ...SURVEY, ...more }).flatMap(({ check, status }) =>
      status === 'ok' ? [] : `${check} ${status}`,
    );
  assert.deepEqual(told({}), []);
  assert.deepEqual(told({ version: '19.03.15' }), ['engine failed']);
  assert.deepEqual(told({ storageDriver: 'vfs' }), ['storage warning']);
  assert.deepEqual(told({ lacks: ['memory'] }), ['cgroup failed']);
  assert.deepEqual(told({ machine: 'riscv64' }), ['sandbox warning']);
});

test('it is told under which runtimes a network outlives its container', () => {
  const told = (more: Partial<EngineSurvey>) =>
    describeEngine({ ...SURVEY, ...more }).find(({ check }) => check === 'sandbox')?.message ?? '';
  assert.match(told({}), /under runc keep their network over restarts$/);
  const runtimes = new Map([...SURVEY.runtimes, ['runsc', '/usr/bin/runsc'] as const]);
  assert.match(told({ runtimes }), /under runc keep .*; under runsc each container has its own/);
  assert.match(told({ machine: 'riscv64', runtimes }), /no network sandboxes for riscv64: .* of its own$/);
});

test('gVisor is a hint where it is not there, and wrong where it is wanted or does not start', async () => {
  const told = async (runtimes: [string, string][], runtime: 'runc' | 'runsc', code = 0) =>
    (
      await checkRuntimes({ ...SURVEY, runtimes: new Map(runtimes) }, runtime, async () => ({
        code,
        output: '',
      }))
    ).map(({ status }) => status);
  const both: [string, string][] = [...SURVEY.runtimes, ['runsc', '/usr/bin/runsc']];
  assert.deepEqual(await told([...SURVEY.runtimes], 'runc'), ['ok', 'warning']);
  assert.deepEqual(await told([...SURVEY.runtimes], 'runsc'), ['failed', 'warning']);
  assert.deepEqual(await told(both, 'runsc'), ['ok', 'ok']);
  assert.deepEqual(await told(both, 'runc', 127), ['ok', 'failed']);
});

test('versions, disks and ports are told as they are', async () => {
  assert.deepEqual([checkNode('v20.1.0').status, checkNode('v18.19.0').status], ['ok', 'failed']);
  const git = async (output: string, code = 0, isNeeded = false) =>
    (await checkGit(async () => ({ code, output }), isNeeded)).status;
  assert.equal(await git('git version 2.39.5'), 'ok');
  assert.equal(await git('git version 2.20.1'), 'warning');
  assert.deepEqual([await git('', 127), await git('', 127, true)], ['warning', 'failed']);
  const disk = (bytes: number, files = 1e6) => describeDisk('disk', '/', { bytes, files }, 'x').status;
  assert.deepEqual(
    [disk(2 ** 40), disk(2 ** 30), disk(2 ** 20), disk(2 ** 40, 5)],
    ['ok', 'warning', 'failed', 'failed'],
  );

  // As Linux 6.1 has it; the first listens on 20000, the second only talks from there.
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1',
    '   1: 0100007F:4E21 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 2',
  ].join('\n');
  assert.deepEqual(listening(table), [20_000]);
  const ports = (open: number[], held: number[] | undefined) =>
    describePorts({ min: 20_000, max: 20_002 }, open, held && new Set(held));
  assert.match(ports([20_000, 80], [20_000]).message, /^2 of /);
  assert.equal(ports([20_000], [20_000]).status, 'ok');
  assert.match(ports([20_000], []).message, /no program listens on 20000$/);
  assert.equal(ports([20_000], undefined).status, 'ok', 'whose they are is not known without the engine');
  assert.equal(ports([20_000, 20_001], [20_002]).status, 'failed');
});
