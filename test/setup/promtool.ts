import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { enginesFolder } from '../other-engines/unpacked.ts';
import { rootPrefix } from './apt.ts';
import { findCommand, lastLines, runCommand } from './command.ts';
import { type Say, SetupError } from './say.ts';

/**
 * The path of promtool: this machine's, or that of Debian's package `prometheus`, which is unpacked to a temporary
 * folder once and not installed, so that no service starts. Needs no root where apt knows its packages.
 */
export async function ensurePromtool(say: Say): Promise<string> {
  const found = findCommand('promtool');
  if (found !== undefined) return found;
  const folder = join(enginesFolder(), 'prometheus');
  const path = join(folder, 'usr/bin/promtool');
  if (existsSync(path)) return path;
  if (!findCommand('apt-get') || !findCommand('dpkg-deb')) {
    throw new SetupError(
      'The tests of the metrics need promtool, and there is no apt-get to bring it: put it on the path',
    );
  }
  say(`Unpacking promtool of Debian's package prometheus to ${folder} (19 MB, once)`);
  const part = `${folder}.part-${process.pid}`;
  mkdirSync(part, { recursive: true });
  try {
    await download(part);
    const [name] = readdirSync(part).filter((one) => one.endsWith('.deb'));
    if (name === undefined) throw new SetupError('apt-get download prometheus brought no package');
    await run(['dpkg-deb', '--extract', join(part, name), part]);
    rmSync(join(part, name));
    rmSync(folder, { recursive: true, force: true });
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return path;
}

async function download(folder: string): Promise<void> {
  const argv = ['sh', '-c', 'cd "$0" && exec apt-get -q download prometheus', folder];
  if ((await runCommand(argv)).code === 0) return;
  // Its lists are older than the packages of the mirror, or were never fetched.
  const prefix = await rootPrefix();
  if (prefix !== undefined) await run([...prefix, 'apt-get', '-q', 'update']);
  await run(argv);
}

async function run(argv: readonly string[]): Promise<void> {
  const { code, output } = await runCommand(argv);
  if (code !== 0)
    throw new SetupError(
      `The tests of the metrics need promtool, and it can not be had: ${argv.slice(0, 2).join(' ')} failed:\n${lastLines(output, 10)}`,
    );
}
