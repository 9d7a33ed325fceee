import { readFile, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../../../schemas/errors.ts';
import { type Finding, failed, ok, warning } from './finding.ts';
import type { RunCommand } from './run-command.ts';

const NODE_MIN = 20;
/** What following a remote needs. */
const GIT_MIN = [2, 28] as const;
/** Free room on a disk, in bytes: below the first nothing can be built, below the second not for long. */
const FULL_BYTES = 256 * 2 ** 20;
const TIGHT_BYTES = 2 * 2 ** 30;
const FILES_MIN = 10_000;
const PORTS_SHOWN = 5;

export function checkNode(version: string): Finding {
  return Number(version.replace(/^v/, '').split('.')[0]) >= NODE_MIN
    ? ok('node', version)
    : failed('node', `${version} is too old`, `Install Node.js ${NODE_MIN} or newer.`);
}

/** @param isNeeded whether the registry is under git */
export async function checkGit(run: RunCommand, isNeeded: boolean): Promise<Finding> {
  const { code, output } = await run(['git', '--version']);
  const found = /git version (\d+)\.(\d+)\S*/.exec(output);
  if (code !== 0 || found === null) {
    const [words, mend] = ['there is no git', 'sudo apt-get install git'];
    if (isNeeded) return failed('git', `${words}, and the registry is a git work tree`, mend);
    return warning('git', `${words}: the registry can not be kept in it, nor follow a remote`, mend);
  }
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const isOld = major < GIT_MIN[0] || (major === GIT_MIN[0] && minor < GIT_MIN[1]);
  return isOld
    ? warning('git', `${found[0]}: --git-remote needs ${GIT_MIN.join('.')}`, 'Install a newer git.')
    : ok('git', found[0]);
}

/** Room for the registry, or for the engine's data. @param mend what frees some there */
export async function checkDisk(check: string, folder: string, mend: string): Promise<Finding> {
  let at = folder;
  for (;;) {
    try {
      const { bavail, bsize, ffree, files } = await statfs(at);
      return describeDisk(check, at, { bytes: bavail * bsize, files: files === 0 ? Infinity : ffree }, mend);
    } catch (error) {
      // What is not made yet will lie where the folder above it does.
      if (codeOf(error) !== 'ENOENT' || at === dirname(at))
        return warning(check, `${folder}: ${String(codeOf(error))}`, `df -h ${folder}`);
      at = dirname(at);
    }
  }
}

/** Pure. */
export function describeDisk(
  check: string,
  folder: string,
  free: { bytes: number; files: number },
  mend: string,
): Finding {
  const bytes = `${(free.bytes / 2 ** 30).toFixed(1)} GiB`;
  if (free.bytes < FULL_BYTES) return failed(check, `${folder} has ${bytes} left`, mend);
  if (free.files < FILES_MIN) return failed(check, `${folder} has room for ${free.files} more files`, mend);
  if (free.bytes < TIGHT_BYTES) return warning(check, `${folder} has ${bytes} left`, mend);
  return ok(check, `${folder} has ${bytes} left`);
}

/** Whether programs find ports. @param held by containers of hosts; undefined where the engine does not tell */
export async function checkPorts(
  range: { min: number; max: number },
  held: ReadonlySet<number> | undefined,
): Promise<Finding> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  if (tables.every((text) => text === ''))
    return warning('ports', 'who listens where can not be seen', 'ss -ltn');
  return describePorts(range, tables.flatMap(listening), held);
}

/** Ports on which somebody listens, out of the kernel's table. */
export function listening(table: string): number[] {
  // sl local_address rem_address st …; 0A is LISTEN.
  return [...table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ 0A /gm)].map(([, hex = '']) =>
    Number.parseInt(hex, 16),
  );
}

/** Pure. */
export function describePorts(
  { min, max }: { min: number; max: number },
  open: readonly number[],
  held: ReadonlySet<number> | undefined,
): Finding {
  const all = max - min + 1;
  const taken = [...new Set(open)].filter((port) => port >= min && port <= max).sort((a, b) => a - b);
  // A container that is only made holds one too, and nobody listens there yet.
  const ours = [...(held ?? taken)].filter((port) => port >= min && port <= max);
  const strangers = taken.filter((port) => !ours.includes(port));
  const free = all - new Set([...taken, ...ours]).size;
  const shown = strangers.slice(0, PORTS_SHOWN).join(', ');
  const more = strangers.length > PORTS_SHOWN ? ` and ${strangers.length - PORTS_SHOWN} more` : '';
  const look = `sudo ss -ltnp 'sport >= :${min} and sport <= :${max}' says by whom; end that, or start the host with another --port-range.`;
  if (free === 0) return failed('ports', `none of ${min}-${max} is free`, look);
  if (strangers.length > 0)
    return warning(
      'ports',
      `${free} of ${min}-${max} are free; something that is no program listens on ${shown}${more}`,
      look,
    );
  return ok('ports', `${free} of ${min}-${max} are free`);
}
