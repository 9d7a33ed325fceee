import { readdirSync, readFileSync } from 'node:fs';
import { cpuMs } from './process-usage.ts';

/** What an engine runs on this machine beside its containers' own processes. */
export interface EngineProcesses {
  /** dockerd and containerd themselves. */
  daemons: readonly number[];
  /** Those of the given containers. */
  shims: readonly number[];
  /** Children of dockerd that pass on what comes to a published port. */
  proxies: readonly number[];
}

/** What there is of a process in /proc, as far as it matters here. */
export interface ProcessLine {
  pid: number;
  parent: number;
  argv: readonly string[];
}

/** Which processes an engine has for containers of these ids. Pure. */
export function sortProcesses(
  lines: readonly ProcessLine[],
  containerIds: ReadonlySet<string>,
): EngineProcesses {
  const isNamed = (name: string) => (line: ProcessLine) => nameOf(line) === name;
  const pids = (found: readonly ProcessLine[]) => found.map(({ pid }) => pid);
  const idOf = ({ argv }: ProcessLine) => argv[argv.indexOf('-id') + 1] ?? '';
  const dockerd = lines.filter(isNamed('dockerd'));
  return {
    daemons: pids([...dockerd, ...lines.filter(isNamed('containerd'))]),
    shims: pids(
      lines.filter((line) => nameOf(line).startsWith('containerd-shim') && containerIds.has(idOf(line))),
    ),
    proxies: pids(
      lines.filter((line) => isNamed('docker-proxy')(line) && dockerd.some(({ pid }) => pid === line.parent)),
    ),
  };
}

const nameOf = ({ argv }: ProcessLine): string => argv[0]?.split('/').at(-1) ?? '';

/** All there are now; one that ends meanwhile is left out. */
export function processLines(): ProcessLine[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const argv = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return [{ pid: Number(name), parent: Number(stat.split(') ').at(-1)?.split(' ')[1]), argv }];
      } catch {
        return [];
      }
    });
}

/** Memory that is theirs, with their part of what they share with others. */
export function pssMb(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const kilobytes = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) / 1024;
  });
}

/** CPU time of each until now; of those that live. */
export function cpuMsOf(pids: readonly number[]): ReadonlyMap<number, number> {
  return new Map(pids.map((pid) => [pid, sum([pid], cpuMs)]));
}

/** What was taken between two looks; of one that ended meanwhile nothing is known. */
export function cpuBetween(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  return [...after].reduce((total, [pid, ms]) => total + Math.max(0, ms - (before.get(pid) ?? 0)), 0);
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => {
    try {
      return total + of(pid);
    } catch {
      // Ended meanwhile.
      return total;
    }
  }, 0);
}
