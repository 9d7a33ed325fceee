import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from '../setup/command.ts';
import { engineAddress } from '../setup/engine-address.ts';
import { ROOT } from '../setup/host-settings.ts';
import { type Say, SetupError } from '../setup/say.ts';
import { must } from './machine.ts';

const IMAGE = 'hersh-test/host';
const NAME = 'hersh-install-host';
const PORT = 29_960;
/** Of its own: a developer's host may run on this engine. */
const OPTIONS = ['--port', String(PORT), '--port-range', '29961-29969', '--instance', NAME];
const SERVER = `http://127.0.0.1:${PORT}`;
const TRIES_MAX = 600;

/** The host as a container on this machine's engine, as docs/install.md tells. */
export async function hostInContainer(say: Say, base: string): Promise<void> {
  const address = engineAddress();
  if (!('path' in address)) throw new SetupError('The engine of this machine is not behind a socket here');
  const socket = address.path;
  say('npm run image, and the host as a container');
  await must([
    ...[process.execPath, '--import', 'tsx', 'packaging/docker/main.ts'],
    ...['--tag', IMAGE, '--base', base],
  ]);
  // What a run that was cut off has left.
  await removeObjects();
  const registry = mkdtempSync(join(tmpdir(), 'hersh-install-'));
  try {
    await must(['docker', 'run', '--rm', '-v', `${registry}:${registry}`, IMAGE, 'init', registry]);
    await must([
      ...['docker', 'run', '-d', '--name', NAME, '--restart', 'always', '--network', 'host'],
      ...['-v', `${socket}:/var/run/docker.sock`, '-v', `${registry}:${registry}`],
      ...[IMAGE, '--registry', registry, ...OPTIONS],
    ]);
    await answers();
    await must(['docker', 'cp', counterOf(registry, base), `${NAME}:/srv/counter`]);
    await hershctl('deploy', '/srv/counter', '--name', 'counter');
    const before = await runOf();
    say('It is restarted: the program runs on');
    await must(['docker', 'restart', NAME]);
    await answers();
    await hershctl('wait', 'counter', '--for=Ready', '--timeout', '300s');
    assert.equal(await runOf(), before);
    await hershctl('delete', 'counter', '--yes');
    await hershctl('wait', 'counter', '--for=Deleted', '--timeout', '300s');
  } finally {
    await runCommand(['docker', 'rm', '-fv', NAME]);
    await removeObjects();
    rmSync(registry, { recursive: true, force: true });
  }
}

/** What it made on the engine: a volume of a program that was deleted waits for days, and is another registry's next time. */
async function removeObjects(): Promise<void> {
  const own = `label=dev.hersh.instance=${NAME}`;
  for (const [list, remove] of [
    [
      ['ps', '-aq'],
      ['rm', '-fv'],
    ],
    [
      ['volume', 'ls', '-q'],
      ['volume', 'rm'],
    ],
    [
      ['network', 'ls', '-q'],
      ['network', 'rm'],
    ],
  ] as const) {
    const { output } = await runCommand(['docker', ...list, '--filter', own]);
    for (const id of output.trim().split(/\s+/)) if (id !== '') await runCommand(['docker', ...remove, id]);
  }
}

/** The example, on a base that this machine has. */
function counterOf(registry: string, base: string): string {
  const folder = join(registry, 'counter-example');
  cpSync(join(ROOT, 'examples', 'counter'), folder, { recursive: true });
  const path = join(folder, 'Dockerfile');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^ARG NODE_IMAGE=.*$/m, `ARG NODE_IMAGE=${base}`));
  return folder;
}

function runOf(): Promise<string> {
  const format = '{{.Id}} {{.State.StartedAt}}';
  return must(['docker', 'inspect', '-f', format, `${NAME}-hersh-program-counter`]);
}

function hershctl(...args: string[]): Promise<string> {
  return must(['docker', 'exec', NAME, 'hershctl', '--server', SERVER, ...args]);
}

async function answers(): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const response = await fetch(`${SERVER}/readyz`).catch(() => undefined);
    if (response?.ok) return;
    await pause(500);
  }
  const { output } = await runCommand(['docker', 'logs', '--tail', '20', NAME]);
  throw new SetupError(`the host in a container does not answer:\n${output}`);
}
