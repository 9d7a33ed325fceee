import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTree } from '../../registry/folder.ts';

export const MIB = 2 ** 20;

/** An id as engines give them, told from others by a number. */
export const idOf = (number: number): string => number.toString(16).padStart(64, 'c0ffee00');

/** How an engine's driver names the group of a container. */
export type Driver = 'cgroupfs' | 'systemd' | 'parent';

const PATHS: Record<Driver, (id: string) => string> = {
  cgroupfs: (id) => `/docker/${id}`,
  systemd: (id) => `/system.slice/docker-${id}.scope`,
  parent: (id) => `/desk-3.slice/bots/${id}`,
};

export interface Counted {
  cpuMs: number;
  memoryMib: number;
  /** Of it, files that the kernel gives back. */
  idleMib?: number;
  /** Whether it has limits; default: as all others have. */
  isLimited?: boolean;
}

/** `memory.stat` as Linux 6.18 writes it in version 1, and in the form of 6.1 and later in version 2; in part. */
const STATS = {
  1: (idle: number) =>
    `cache ${idle}\nrss 1736704\nworkingset_refault_file 1\ninactive_anon 0\ninactive_file 4096\nactive_file 0\n` +
    `hierarchical_memory_limit 536870912\ntotal_cache ${idle}\ntotal_inactive_anon 0\ntotal_inactive_file ${idle}\n`,
  2: (idle: number) =>
    `anon 1736704\nfile ${idle}\nkernel 757760\nsec_pagetables 0\nfile_mapped 2162688\ninactive_anon 1728512\n` +
    `active_anon 8192\ninactive_file ${idle}\nactive_file 1765376\nunevictable 0\nworkingset_refault_file 1\n`,
};

/** `cpu.stat` of version 2, as Linux 6.18 writes it with the controller on. */
const cpuStat = (ms: number) =>
  `usage_usec ${ms * 1000}\nuser_usec ${ms * 600}\nsystem_usec ${ms * 400}\nnice_usec 0\n` +
  'nr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n';

/** What the kernel shows of containers, in a folder of the test's own. */
export interface FakeKernel {
  proc: string;
  cgroups: string;
  /** A container runs, or goes on. */
  set(id: string, counted: Counted): Promise<void>;
  /** It has ended, and its group is gone. */
  end(id: string): Promise<void>;
  /** `/proc/<pid>/cgroup`. */
  process(pid: number, id: string): Promise<void>;
}

/** @param areLimited whether the containers have limits: half a core, and 512 MiB */
export async function fakeKernel(
  root: string,
  version: 1 | 2,
  driver: Driver = 'cgroupfs',
  areLimited = true,
): Promise<FakeKernel> {
  const [proc, cgroups] = [join(root, 'proc'), join(root, 'cgroup')];
  await writeTree(root, { 'proc/': '', 'cgroup/': '' });
  if (version === 2) await writeTree(cgroups, { 'cgroup.controllers': 'cpuset cpu io memory pids\n' });
  const controllers = version === 1 ? ['cpuacct', 'cpu', 'memory'] : [''];
  const folderOf = (controller: string, id: string) => join(controller, PATHS[driver](id));
  return {
    ...{ proc, cgroups },
    async set(id, { cpuMs, memoryMib, idleMib = 0, isLimited: limited = areLimited }) {
      const bytes = `${memoryMib * MIB}\n`;
      if (version === 2) {
        const files = {
          'cpu.stat': cpuStat(cpuMs),
          'cpu.max': limited ? '50000 100000\n' : 'max 100000\n',
          'memory.current': bytes,
          'memory.stat': STATS[2](idleMib * MIB),
          'memory.max': limited ? `${512 * MIB}\n` : 'max\n',
        };
        return writeTree(join(cgroups, folderOf('', id)), files);
      }
      await writeTree(join(cgroups, folderOf('cpuacct', id)), { 'cpuacct.usage': `${cpuMs * 1e6}\n` });
      await writeTree(join(cgroups, folderOf('cpu', id)), {
        'cpu.cfs_quota_us': limited ? '50000\n' : '-1\n',
        'cpu.cfs_period_us': '100000\n',
      });
      await writeTree(join(cgroups, folderOf('memory', id)), {
        'memory.usage_in_bytes': bytes,
        'memory.stat': STATS[1](idleMib * MIB),
        'memory.limit_in_bytes': limited ? `${512 * MIB}\n` : '9223372036854771712\n',
      });
    },
    async end(id) {
      for (const controller of controllers)
        await rm(join(cgroups, folderOf(controller, id)), { recursive: true, force: true });
    },
    async process(pid, id) {
      const path = PATHS[driver](id);
      const text =
        version === 2
          ? `0::${path}\n`
          : `9:name=systemd:${path}\n8:pids:${path}\n4:memory:${path}\n2:cpu,cpuacct:${path}\n0::${path}\n`;
      await writeTree(proc, { [`${pid}/cgroup`]: text });
    },
  };
}
