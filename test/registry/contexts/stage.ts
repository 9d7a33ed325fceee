import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { extract } from 'tar-stream';
import { openContexts } from '../../../registry/contexts/contexts.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { BuildSpec } from '../../../schemas/program.ts';
import { tempFolder, writeTree } from '../folder.ts';

/** How a program is built of the context that `start` makes, unless told otherwise. */
export const build = (rest: Partial<BuildSpec> = {}): BuildSpec => ({
  context: 'sources/a',
  dockerfile: 'Dockerfile',
  args: {},
  ...rest,
});

/** Milliseconds by which a clock is ahead so that to it all files have stood still for long. */
export const LATER = 60_000;

/** A registry with a context in it, and a clock that says all files have stood still for long. */
export async function start(
  t: TestContext,
  files: Record<string, string | Uint8Array> = {},
  snapshots?: string,
) {
  const root = await tempFolder(t);
  const kept = snapshots ?? join(root, 'data', 'contexts');
  await mkdir(kept, { recursive: true });
  const folder = join(root, 'sources', 'a');
  await writeTree(folder, { Dockerfile: 'FROM scratch\n', ...files });
  const open = () => openContexts(root, kept, () => Date.now() + LATER);
  return { root, folder, kept, open, contexts: open() };
}

/** Matches what a context that can not be built is refused with. */
export const fails = (message: RegExp) => (error: unknown) =>
  error instanceof AppError && error.reason === 'BuildFailed' && message.test(error.message);

/** Matches what is said where the trouble is that of the host, not of the program. */
export const unavailable = (message: RegExp) => (error: unknown) =>
  error instanceof AppError && error.reason === 'RegistryUnavailable' && message.test(error.message);

/** Each entry of a snapshot as `type mode contents`, where a link has its target for contents. */
export async function untar(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const unpacked = createReadStream(path).pipe(extract());
  for await (const entry of unpacked) {
    const { name, type, mode, linkname, uid, gid, mtime } = entry.header;
    assert.deepEqual([uid, gid, mtime?.getTime()], [0, 0, 0]);
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    found[name] = `${type} ${mode?.toString(8)} ${linkname ?? Buffer.concat(chunks).toString()}`;
  }
  return found;
}
