/** What the files of control groups say, in both versions. Pure. */

/** Where the kernel counts a container: absolute folders, in version 2 the same for all. */
export interface Group {
  version: 1 | 2;
  cpuacct: string;
  /** With the limit of CPU; undefined where the kernel has none. */
  cpu: string | undefined;
  memory: string | undefined;
}

/** Limits are null where there is none. */
export interface GroupLimits {
  cpuLimit: number | null;
  memoryLimitBytes: number | null;
}

/** "No limit" in version 1 is the greatest number of whole pages; no machine has as much. */
const MEMORY_NO_LIMIT = 2 ** 60;

/**
 * The group of a container, by what the kernel says of its first process.
 * @param text of `/proc/<pid>/cgroup`, lines of `number:controllers:path`
 * @param id of the container. Each engine's driver puts it into the name of the group: where it is not there, the process is another's.
 * @param mount where the groups are, `/sys/fs/cgroup`
 */
export function groupIn(text: string, id: string, mount: string, version: 1 | 2): Group | undefined {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const own = path && upTo(path, id);
    if (controllers === undefined || !own) continue;
    for (const controller of controllers.split(',')) paths.set(controller, own);
  }
  if (version === 2) {
    const path = paths.get('');
    const folder = path && `${mount}${path}`;
    return folder ? { version, cpuacct: folder, cpu: folder, memory: folder } : undefined;
  }
  const folderOf = (controller: string): string | undefined => {
    const path = paths.get(controller);
    return path && `${mount}/${controller}${path}`;
  };
  const cpuacct = folderOf('cpuacct');
  return cpuacct ? { version, cpuacct, cpu: folderOf('cpu'), memory: folderOf('memory') } : undefined;
}

/** The path up to the group that bears the id: a program may have made groups of its own below. Or undefined. */
function upTo(path: string, id: string): string | undefined {
  const at = path.indexOf(id);
  if (id === '' || at === -1 || path.includes('/../')) return undefined;
  const end = path.indexOf('/', at);
  return end === -1 ? path : path.slice(0, end);
}

/** Where another container is, if the engine keeps it beside this one. Whether it does is to be looked up. */
export function besideOf(group: Group, ownId: string, id: string): Group {
  const swap = (folder: string) => folder.replaceAll(ownId, id);
  return {
    version: group.version,
    cpuacct: swap(group.cpuacct),
    cpu: group.cpu && swap(group.cpu),
    memory: group.memory && swap(group.memory),
  };
}

/** @param text of `cpuacct.usage`, or of `cpu.stat` in version 2. @returns nanoseconds */
export function cpuNanosIn(text: string, version: 1 | 2): number | null {
  if (version === 1) return numberIn(text);
  const micros = fieldIn(text, 'usage_usec');
  return micros === null ? null : micros * 1000;
}

/** Without files that the kernel gives back when memory is needed, as `docker stats` has it. @param stat of `memory.stat` */
export function memoryBytesIn(usage: string, stat: string, version: 1 | 2): number | null {
  const bytes = numberIn(usage);
  if (bytes === null) return null;
  const idle = fieldIn(stat, version === 1 ? 'total_inactive_file' : 'inactive_file') ?? 0;
  return idle < bytes ? bytes - idle : bytes;
}

/** @param text of `memory.limit_in_bytes`, or of `memory.max` */
export function memoryLimitIn(text: string): number | null {
  const bytes = numberIn(text);
  return bytes === null || bytes >= MEMORY_NO_LIMIT ? null : bytes;
}

/** @param text of `cpu.max`: `50000 100000`, or `max 100000`; in version 1 the same of two files. @returns cores */
export function cpuLimitIn(text: string): number | null {
  const [quota, period] = text.trim().split(/\s+/).map(Number);
  const isLimit = quota !== undefined && quota > 0 && period !== undefined && period > 0;
  return isLimit ? quota / period : null;
}

function numberIn(text: string): number | null {
  return /^\d+\s*$/.test(text) ? Number(text) : null;
}

/** Of `name number` lines. */
function fieldIn(text: string, name: string): number | null {
  const at = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1;
  if (at === 0 && !text.startsWith(`${name} `)) return null;
  const number = Number.parseInt(text.slice(at + name.length + 1, at + name.length + 24), 10);
  return Number.isFinite(number) ? number : null;
}
