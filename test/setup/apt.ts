import { findCommand, lastLines, runCommand } from './command.ts';
import { type Say, SetupError } from './say.ts';

/** What to put before a command that needs root, or `undefined` where we may not. */
export async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  if (!findCommand('sudo')) return undefined;
  return (await runCommand(['sudo', '-n', 'true'])).code === 0 ? ['sudo', '-n'] : undefined;
}

export async function mayInstall(): Promise<boolean> {
  return findCommand('apt-get') !== undefined && (await rootPrefix()) !== undefined;
}

/**
 * Installs Debian packages and says so first. Those of `optional` that this distribution does not have are
 * left out. Throws SetupError where we may not install, with the command that a person can run.
 */
export async function aptInstall(
  say: Say,
  why: string,
  packages: readonly string[],
  optional: readonly string[] = [],
): Promise<void> {
  const prefix = await rootPrefix();
  if (!findCommand('apt-get') || !prefix) {
    throw new SetupError(
      `${why} needs ${packages.join(', ')}, and this user can not install it.\n` +
        `Install it by hand, e.g. as root: apt-get install ${packages.join(' ')}`,
    );
  }
  say(`Installing ${[...packages, ...optional].join(', ')} with apt-get: ${why} needs it`);
  await apt(prefix, 'update');
  const known: string[] = [];
  for (const name of optional) {
    if ((await runCommand(['apt-cache', 'show', '--no-all-versions', name])).code === 0) known.push(name);
    else say(`This distribution has no package ${name}: going on without it`);
  }
  await apt(prefix, 'install', '-y', '--no-install-recommends', ...packages, ...known);
}

async function apt(prefix: readonly string[], ...args: string[]): Promise<void> {
  const command = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-q',
    // Someone else's run (unattended upgrades, mostly) is waited for.
    '-o',
    'DPkg::Lock::Timeout=300',
    ...args,
  ];
  const { code, output } = await runCommand(command);
  if (code === 0) return;
  throw new SetupError(`apt-get ${args.join(' ')} failed:\n${lastLines(output, 15)}`);
}
