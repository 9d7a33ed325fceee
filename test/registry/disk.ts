import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Mounts an empty file system there while the work is done. Takes root, see below. */
export async function withMount(folder: string, options: string, work: () => Promise<void>): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  try {
    await work();
  } finally {
    await run('umount', ['-l', folder]);
  }
}

/**
 * A file system of its own, too small for much. Mounting takes root; without it the test fails rather than pass
 * unseen, since a full disk is what the registry promises to survive.
 */
export async function smallDisk(t: TestContext, kilobytes: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-test-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder]);
  t.after(async () => {
    await run('umount', ['-l', folder]);
    await rmdir(folder);
  });
  return folder;
}
