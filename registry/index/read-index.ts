/** What files came to when they were last read, kept from one host to the next: a cache, and only that (ADR 22). */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createUnpacking } from './packing.ts';

/** The folders whose files it knows. */
export type Folder = 'programs' | 'status';

/** What a file came to, and its `statKey` then: where it has another, nothing of it counts. */
export interface Recalled {
  key: string;
  value: unknown;
}

/** By folder, then by the file's name without its ending. */
export type Index = Record<Folder, Map<string, Recalled>>;

/** The first line. */
export const headOf = (version: string): string => JSON.stringify({ index: version });

/** The last line, which says what stands before it. */
export const footOf = (sha256: string): string => JSON.stringify({ sha256 });

/** A part, or what a file came to. */
export type Line = [part: object] | [folder: Folder, name: string, key: string, value: object];

const LINE_END = 0x0a;

export const emptyIndex = (): Index => ({ programs: new Map(), status: new Map() });

/**
 * What the index there says. Nothing where there is none, it is damaged, or it is not of that version.
 * @param version of all by which a text comes to what it does
 */
export async function readIndex(path: string, version: string): Promise<Index> {
  try {
    return indexIn(await readFile(path), version);
  } catch {
    return emptyIndex();
  }
}

function indexIn(bytes: Buffer, version: string): Index {
  const footAt = bytes.lastIndexOf(LINE_END, bytes.length - 2) + 1;
  const sha256 = createHash('sha256').update(bytes.subarray(0, footAt)).digest('hex');
  if (bytes.toString('utf8', footAt) !== `${footOf(sha256)}\n`) throw new Error('it is damaged');
  const head = `${headOf(version)}\n`;
  if (bytes.toString('utf8', 0, Buffer.byteLength(head)) !== head)
    throw new Error('it is of another version');
  const index = emptyIndex();
  const unpacking = createUnpacking();
  for (let at = Buffer.byteLength(head); at < footAt; ) {
    const end = bytes.indexOf(LINE_END, at);
    const line = JSON.parse(bytes.toString('utf8', at, end)) as Line;
    at = end + 1;
    if (line.length === 1) {
      unpacking.part(line[0]);
    } else {
      const [folder, name, key, value] = line;
      index[folder].set(name, { key, value: unpacking.thing(value) });
    }
  }
  return index;
}
