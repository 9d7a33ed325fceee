import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../e2e/until.ts';

const CGROUPS = '/sys/fs/cgroup';

/**
 * Removes the cgroups of an engine of a test's own, by the name of their parent. One below each controller on version 1, one in all on version 2. Only what is empty can be removed, and the kernel
 * counts processes for a moment after their end.
 */
export async function removeCgroups(name: string): Promise<void> {
  const tops = existsSync(join(CGROUPS, 'cgroup.controllers'))
    ? [CGROUPS]
    : readdirSync(CGROUPS).map((controller) => join(CGROUPS, controller));
  const left = () => tops.map((top) => join(top, name)).filter((path) => existsSync(path));
  await until(
    'the cgroups of an engine are empty',
    () => {
      for (const path of left()) removeTree(path);
      return left().length === 0;
    },
    () => left().join(' '),
  );
}

/** Folders alone: the files in there are the kernel's. */
function removeTree(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(join(path, entry.name));
    rmdirSync(path);
  } catch {
    // Not empty yet, or just gone.
  }
}
