/**
 * `npm run test:install`: the Debian package on machines that know nothing of this project, as docs/install.md,
 * upgrade.md and backup.md tell: installed, used, upgraded and put back while programs run, backed up, restored on
 * another machine, removed. And the host as a container, beside its programs. Some ten minutes.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmPack } from '../../packaging/npm-pack.ts';
import { BASES, ensureBaseImages } from '../setup/base-images.ts';
import { runCommand } from '../setup/command.ts';
import { ensureEngine } from '../setup/engine.ts';
import { ROOT } from '../setup/host-settings.ts';
import { makeSay, reportAndExit, SetupError } from '../setup/say.ts';
import { backUpAndRestore } from './back-up-and-restore.ts';
import { hostInContainer } from './host-in-container.ts';
import { type Machine, makeMachineImage, startMachine } from './machine.ts';
import { installed, removed, upgraded } from './package-steps.ts';

const OLD = '0.0.1';
const NEW = '0.0.2';

const say = makeSay();
const folder = mkdtempSync(join(tmpdir(), 'hersh-install-'));
const machines: Machine[] = [];
try {
  const docker = await ensureEngine(say);
  await ensureBaseImages(say, docker, ['debian', 'node']);
  say('Making the packages');
  const from = npmPack(folder);
  const debs = { old: await deb(from, OLD), next: await deb(from, NEW) };
  await makeMachineImage(say, BASES.node.own);

  const first = await machine('hersh-install-first');
  await installed(say, first, debs.old, OLD);
  await upgraded(say, first, debs, { old: OLD, next: NEW });
  const second = await machine('hersh-install-second');
  await backUpAndRestore(say, first, second, debs.next);
  await removed(say, first);
  await hostInContainer(say, BASES.node.own);
  say('All of it works');
} catch (error) {
  process.exitCode = 1;
  if (error instanceof SetupError || error instanceof assert.AssertionError) say(`✗ ${error.message}`);
  else reportAndExit(error);
} finally {
  for (const one of machines) await one.remove();
  rmSync(folder, { recursive: true, force: true });
}

async function machine(name: string): Promise<Machine> {
  await runCommand(['docker', 'rm', '-fv', name]);
  const one = await startMachine(say, name);
  machines.push(one);
  await one.loadImage(BASES.node.own, ['node:20-slim']);
  return one;
}

async function deb(from: string, version: string): Promise<string> {
  const argv = [
    '--import',
    'tsx',
    'packaging/deb/main.ts',
    '--from',
    from,
    '--version',
    version,
    '--out',
    folder,
  ];
  const { code, output } = await runCommand([process.execPath, ...argv], { cwd: ROOT });
  if (code !== 0) throw new SetupError(`npm run deb: ${output}`);
  return output.trim();
}
