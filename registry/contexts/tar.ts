import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readlink } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Pack, pack as tarPack } from 'tar-stream';
import { type ContextEntry, sortedByName } from '../../schemas/build-id.ts';
import { TEMP_PREFIX } from '../files/atomic-write.ts';
import { inSlices } from '../files/pause.ts';
import { MODE_EXECUTABLE, MODE_FILE, MODE_FOLDER, MODE_LINK } from './entries.ts';

/** An entry, and where it lies. */
export interface LocatedEntry extends ContextEntry {
  path: string;
  statKey: string;
  size: number;
}

/** What a snapshot holds: what `COPY` sees, and what is kept beside it so that it can be built and put back. */
export interface Sifted<Entry extends ContextEntry = ContextEntry> {
  entries: readonly Entry[];
  aside: readonly Entry[];
}

/** Where a tar has what is kept aside. No context has such a name in it. */
const ASIDE = `${TEMP_PREFIX}aside/`;
export const asideName = (name: string): string => `${ASIDE}${name}`;
/** The name in the context of what a tar has under this one. */
export const nameInContext = (name: string): string =>
  name.startsWith(ASIDE) ? name.slice(ASIDE.length) : name;

/** The files are not what they were when they were looked at. */
export class ContextChanged extends Error {
  /** @param file which of them, where that is known */
  constructor(readonly file = '') {
    super('the context changed while it was read');
  }
}

/**
 * Writes a tar of just these entries. Same entries, same bytes: no times, no owners.
 * @throws ContextChanged where a file is not what its entry says any more
 */
export async function writeTar(path: string, { entries, aside }: Sifted<LocatedEntry>): Promise<void> {
  const pack = tarPack();
  const written = pipeline(pack, createWriteStream(path, { mode: 0o600, flush: true }));
  const named = aside.map((entry) => ({ ...entry, name: asideName(entry.name) }));
  const filled = fill(pack, [...named, ...entries]).catch((error: unknown) => {
    pack.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  // Both have ended when this goes on: whoever removes the file then finds nobody writing it.
  const [fillResult, writeResult] = await Promise.allSettled([filled, written]);
  if (
    writeResult.status === 'rejected' &&
    !(fillResult.status === 'rejected' && isChange(fillResult.reason))
  ) {
    throw writeResult.reason;
  }
  if (fillResult.status === 'rejected') throw fillResult.reason;
}

/** The entries of a tar that `writeTar` wrote. Rejects where it can not be read to its end. */
export async function readTar(path: string): Promise<Sifted> {
  const unpacked = extract();
  const read = pipeline(createReadStream(path), unpacked);
  const list = async (): Promise<Sifted> => {
    const entries: ContextEntry[] = [];
    const aside: ContextEntry[] = [];
    for await (const entry of unpacked) {
      const { name, type, mode = 0, linkname } = entry.header;
      const hash = createHash('sha256').update(type === 'symlink' ? (linkname ?? '') : '');
      for await (const chunk of entry) hash.update(chunk as Buffer);
      const ofFile = (mode & 0o100) !== 0 ? MODE_EXECUTABLE : MODE_FILE;
      const kind = type === 'directory' ? MODE_FOLDER : type === 'symlink' ? MODE_LINK : ofFile;
      const list = name.startsWith(ASIDE) ? aside : entries;
      list.push({ name: nameInContext(name).replace(/\/$/, ''), mode: kind, sha256: hash.digest('hex') });
    }
    return { entries, aside };
  };
  const [listed] = await Promise.all([list(), read]);
  return listed;
}

const isChange = (error: unknown) => error instanceof ContextChanged;

async function fill(pack: Pack, entries: readonly LocatedEntry[]): Promise<void> {
  for (const entry of await inSlices(sortedByName(entries))) {
    const header = { name: entry.name, mode: entry.mode & 0o777, mtime: new Date(0), uid: 0, gid: 0 };
    if (entry.mode === MODE_FOLDER) {
      pack.entry({ ...header, mode: 0o755, type: 'directory' });
    } else if (entry.mode === MODE_LINK) {
      const linkname = await readlink(entry.path);
      if (sha256(linkname) !== entry.sha256) throw new ContextChanged(entry.name);
      pack.entry({ ...header, mode: 0o777, type: 'symlink', linkname });
    } else {
      await copyFile(entry, pack.entry({ ...header, size: entry.size }) as unknown as Writable, pack);
    }
  }
  pack.finalize();
}

async function copyFile(entry: LocatedEntry, sink: Writable, pack: Pack): Promise<void> {
  // What breaks the tar breaks the entry too, and is told by the tar.
  sink.on('error', () => undefined);
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(entry.path) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > entry.size) throw new ContextChanged(nameInContext(entry.name));
    hash.update(chunk);
    if (!sink.write(chunk)) await drained(sink, pack);
  }
  if (size !== entry.size || hash.digest('hex') !== entry.sha256)
    throw new ContextChanged(nameInContext(entry.name));
  sink.end();
}

/** A disk that is full ends the pack, and then nothing drains any more. */
function drained(sink: Writable, pack: Pack): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => () => {
      sink.off('drain', onDrain);
      pack.off('close', onClose);
      finish();
    };
    const onDrain = settle(resolve);
    const onClose = settle(() => reject(new Error('the tar can not be written')));
    if ((pack as unknown as { destroyed?: boolean }).destroyed) return onClose();
    sink.once('drain', onDrain);
    pack.once('close', onClose);
  });
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
