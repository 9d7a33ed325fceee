import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder of the test's own, removed when it ends, after what `close` ends. */
export async function tempFolder(
  t: TestContext,
  close: () => Promise<void> = async () => {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-test-'));
  t.after(async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Writes files, with the folders above them. A name that ends with `/` is an empty folder. */
export async function writeTree(root: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (!name.endsWith('/')) await writeFile(path, content);
  }
}

/** It ends a test that would hang, and measures nothing: a busy machine may be slow. */
const HANGS_MS = 120_000;

/** Waits for a condition, and fails with what it waited for when the limit is over. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = HANGS_MS,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
