import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { tempFolder } from '../registry/folder.ts';
import { ROOT } from '../setup/host-settings.ts';

const START = join(ROOT, 'controller', 'start.mjs');

/** The environment of whoever runs the tests, without a word of a registry, and with an engine that is nowhere. */
function environment(): NodeJS.ProcessEnv {
  const { HERSH_REGISTRY: _, ...env } = process.env;
  return { ...env, DOCKER_HOST: 'unix:///nowhere/docker.sock' };
}

function run(cwd: string, ...args: string[]): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [START, ...args], {
    ...{ cwd, env: environment(), encoding: 'utf8' },
  });
  return { code: status, said: stdout + stderr };
}

/** Starts a host and ends it as soon as it is up. Gives the registry that it says it has. */
async function registryOf(test: TestContext, cwd: string): Promise<string> {
  const argv = [START, '--port', '0', '--instance', `init-${process.pid}`, '--log-level', 'info'];
  const child = spawn(process.execPath, argv, { cwd, env: environment() });
  test.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, registry } = JSON.parse(line) as Record<string, string>;
    if (msg !== 'Hersh Host is up') continue;
    child.kill('SIGTERM');
    await ended;
    return registry ?? '';
  }
  throw new Error('the host ended before it was up');
}

test('without a registry that is named, ./registry is taken if init made it, and nothing else is', async (t) => {
  const folder = await tempFolder(t);
  for (const cwd of [ROOT, folder]) {
    const { code, said } = run(cwd);
    assert.equal(code, 2, said);
    assert.match(said, /no registry is named, and .*registry is none that init made\n.*--registry DIR/);
  }
  assert.equal(existsSync(join(folder, 'registry')), false);
  assert.equal(existsSync(join(ROOT, 'registry', 'registry.yaml')), false);

  const made = run(folder, 'init', 'registry');
  assert.equal(made.code, 0, made.said);
  assert.ok(made.said.includes(`${join(folder, 'registry')} is a registry now`), made.said);
  assert.equal(await registryOf(t, folder), join(folder, 'registry'));
  const id = readFileSync(join(folder, 'registry', 'data', 'registry-id'), 'utf8');
  const again = run(folder, 'init', 'registry');
  assert.equal(again.code, 0);
  assert.match(again.said, /is a registry already; nothing was changed/);
  assert.equal(readFileSync(join(folder, 'registry', 'data', 'registry-id'), 'utf8'), id);
});

test('init says how it is used, and refuses what is in the way with what to do', async (t) => {
  const folder = await tempFolder(t);
  assert.match(run(folder, 'init', '--help').said, /^Usage: hersh-host init DIR/);
  for (const args of [[], ['a', 'b'], ['--gti', 'a']]) {
    const { code, said } = run(folder, 'init', ...args);
    assert.equal(code, 2);
    assert.match(said, /Usage: hersh-host init DIR/);
  }
  const { code, said } = run(folder, 'init', ROOT);
  assert.equal(code, 1);
  assert.match(said, /is not empty \(.*\), and is no registry\nName a folder/);
});
