import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../schemas/errors.ts';
import {
  cpuLimitIn,
  cpuNanosIn,
  type Group,
  type GroupLimits,
  groupIn,
  memoryBytesIn,
  memoryLimitIn,
} from './cgroup.ts';

/** `memory.stat` has 2 KB at most by now. */
const FILE_BYTES_MAX = 16 * 2 ** 10;
/** What the kernel says of a group that is gone, the last also of one that goes while it is read. */
const GONE: readonly string[] = ['ENOENT', 'ENODEV', 'ENOTDIR'];

/** Where the kernel shows these. */
export interface KernelFiles {
  proc: string;
  cgroups: string;
}

export const KERNEL_FILES: KernelFiles = { proc: '/proc', cgroups: '/sys/fs/cgroup' };

/**
 * Reads control groups. Every call reads at once, and does not wait its turn: the kernel answers out of its memory,
 * and handing each of thousands of files to another thread would cost several times as much.
 */
export interface CgroupReader {
  /** The group of a container; undefined where that process is not to be seen, or is not of that container. Throws on other trouble. */
  find(id: string, pid: number): Group | undefined;
  /** Undefined where the group is gone, or nothing runs in it. Throws on other trouble. */
  read(group: Group): { cpuNanos: number | null; memoryBytes: number | null } | undefined;
  /** What can not be read is no limit. */
  limits(group: Group): GroupLimits;
}

export function createCgroupReader({ proc, cgroups }: KernelFiles = KERNEL_FILES): CgroupReader {
  const buffer = Buffer.alloc(FILE_BYTES_MAX);
  const version = existsSync(join(cgroups, 'cgroup.controllers')) ? 2 : 1;

  /** Undefined where it is not there. */
  function text(folder: string | undefined, file: string): string | undefined {
    if (folder === undefined) return undefined;
    let fd: number | undefined;
    try {
      fd = openSync(`${folder}/${file}`, 'r');
      return buffer.toString('latin1', 0, readSync(fd, buffer, 0, FILE_BYTES_MAX, 0));
    } catch (error) {
      if (GONE.includes(codeOf(error))) return undefined;
      throw error;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
  const safely = (folder: string | undefined, file: string): string => {
    try {
      return text(folder, file) ?? '';
    } catch {
      return '';
    }
  };

  const isOne = version === 1;
  return {
    find(id, pid) {
      const said = text(join(proc, String(pid)), 'cgroup');
      return said === undefined ? undefined : groupIn(said, id, cgroups, version);
    },
    read({ cpuacct, memory }) {
      const cpu = text(cpuacct, isOne ? 'cpuacct.usage' : 'cpu.stat');
      if (cpu === undefined) return undefined;
      const used = text(memory, isOne ? 'memory.usage_in_bytes' : 'memory.current');
      const stat = used === undefined ? undefined : text(memory, 'memory.stat');
      const memoryBytes = used === undefined ? null : memoryBytesIn(used, stat ?? '', version);
      // An engine that was killed leaves groups behind. What runs uses memory, so that others are not asked about.
      if (memoryBytes === 0 && safely(cpuacct, 'cgroup.procs') === '') return undefined;
      return { cpuNanos: cpuNanosIn(cpu, version), memoryBytes };
    },
    limits({ cpu, memory }) {
      const quota = isOne
        ? `${safely(cpu, 'cpu.cfs_quota_us')} ${safely(cpu, 'cpu.cfs_period_us')}`
        : safely(cpu, 'cpu.max');
      const bytes = safely(memory, isOne ? 'memory.limit_in_bytes' : 'memory.max');
      return { cpuLimit: cpuLimitIn(quota), memoryLimitBytes: memoryLimitIn(bytes) };
    },
  };
}
