import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { enginesFolder } from '../other-engines/unpacked.ts';
import { aptInstall } from '../setup/apt.ts';
import { findCommand, lastLines, runCommand } from '../setup/command.ts';
import { type Say, SetupError } from '../setup/say.ts';

/**
 * The git of that Debian suite, with the libraries it needs, unpacked and not installed, where it is not there yet.
 * Throws SetupError where it can not be had.
 * @returns a folder with `git` in it, to be put first in PATH
 */
export async function ensureUnpackedGit(say: Say, suite: string): Promise<string> {
  const folder = join(enginesFolder(), `git-${suite}`);
  if (!existsSync(folder)) await unpack(say, suite, folder);
  return writeCommands(folder);
}

async function unpack(say: Say, suite: string, folder: string): Promise<void> {
  if (!findCommand('mmdebstrap'))
    await aptInstall(say, 'unpacking another git', ['mmdebstrap', 'debian-archive-keyring']);
  say(`Unpacking the git of Debian's ${suite} to ${folder} (a minute or two, once)`);
  mkdirSync(enginesFolder(), { recursive: true });
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const { code, output } = await runCommand([
    ...[findCommand('mmdebstrap') ?? 'mmdebstrap', '--variant=extract', '--include=git'],
    ...['--aptopt=Acquire::Check-Valid-Until "false"', suite, part],
  ]);
  if (code !== 0) {
    throw new SetupError(
      `The git of Debian's ${suite} can not be fetched, so nothing was tested:\n${lastLines(output, 15)}`,
    );
  }
  renameSync(part, folder);
}

/** It runs with its own libraries, and so does every git that it starts. */
function writeCommands(root: string): string {
  const bin = join(root, 'hersh-bin');
  mkdirSync(bin, { recursive: true });
  const write = (name: string, lines: readonly string[]) =>
    writeFileSync(join(bin, name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  write('git', [
    `export GIT_EXEC_PATH='${bin}' GIT_TEMPLATE_DIR='${root}/usr/share/git-core/templates'`,
    `exec '${root}/usr/lib64/ld-linux-x86-64.so.2' --library-path '${root}/usr/lib/x86_64-linux-gnu' ` +
      `--argv0 git '${root}/usr/lib/git-core/git' "$@"`,
  ]);
  for (const name of ['upload-pack', 'receive-pack'])
    write(`git-${name}`, [`exec '${bin}/git' ${name} "$@"`]);
  return bin;
}
