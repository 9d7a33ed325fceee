import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptInstall } from '../setup/apt.ts';
import { findCommand, lastLines, runCommand } from '../setup/command.ts';
import { type Say, SetupError } from '../setup/say.ts';

const PACKAGES = ['docker.io', 'iptables', 'iproute2', 'ca-certificates', 'procps'];

/** Where engines are unpacked, and kept from one run to the next. Never in the clone. */
export function enginesFolder(): string {
  return process.env.HERSH_TEST_ENGINES || join(tmpdir(), 'hersh-test-engines');
}

/** A Debian of that suite with its Docker in it, as a folder; unpacked where it is not there yet. */
export async function ensureUnpacked(say: Say, suite: string): Promise<string> {
  const folder = join(enginesFolder(), suite);
  if (existsSync(folder)) return folder;
  if (!findCommand('mmdebstrap'))
    await aptInstall(say, 'unpacking another engine', ['mmdebstrap', 'debian-archive-keyring']);
  say(`Unpacking the engine of Debian's ${suite} to ${folder} (a minute or two, once)`);
  await mkdir(enginesFolder(), { recursive: true });
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const { code, output } = await runCommand([
    ...[findCommand('mmdebstrap') ?? 'mmdebstrap', '--variant=minbase', `--include=${PACKAGES.join(',')}`],
    // A mirror that stands still for some weeks serves as well.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    ...[suite, part],
  ]);
  if (code !== 0) throw new SetupError(`mmdebstrap ${suite} failed:\n${lastLines(output, 15)}`);
  renameSync(part, folder);
  return folder;
}
