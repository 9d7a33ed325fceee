/** The room of what programs keep: a `/state` as a tar, out and in. */

import { extract, type Header } from 'tar-stream';
import { AppError, messageOf } from '../../schemas/errors.ts';
import type { VolumeRoot } from '../engine/fill-volume.ts';
import { PLAIN_HINT, TarFrame } from './tar-frame.ts';

/** As paths in Linux are, in bytes. */
const NAME_BYTES_MAX = 4096;
/** Entries that are links, and have to be known as long as more may come: more are nobody's state. */
const LINKS_MAX = 100_000;
/** What a program can keep. Devices and whatever else there may be in a tar are not. */
const TYPES: ReadonlySet<string> = new Set([
  'file',
  'directory',
  'symlink',
  'link',
  'fifo',
  'contiguous-file',
]);

export interface CheckedTar {
  /** The same bytes, none of them before what they say was looked at. */
  content: AsyncIterable<Uint8Array>;
  /** Of the folder itself, where the tar says so; known when all has been read. */
  root(): VolumeRoot | undefined;
}

/**
 * A tar of what is to be in a `/state`, as it goes by: throws `BadRequest` for one that would put anything elsewhere,
 * or is none, or not whole. The bytes go on as they came, so that nothing of it is lost on the way.
 */
export function checkTar(source: AsyncIterable<Uint8Array>): CheckedTar {
  let root: VolumeRoot | undefined;
  const rules = createRules();
  async function* content(): AsyncGenerator<Uint8Array> {
    // So that a write has to be waited for, however small it is: see `feed`.
    const parser = extract({ highWaterMark: 1 });
    const frame = new TarFrame();
    let wrong: unknown;
    parser.on('error', (error) => {
      wrong ??= error;
    });
    parser.on('entry', (header, stream, next) => {
      try {
        if (rules(header) === 'root') root = rootOf(header);
        frame.entry(header.size ?? 0);
        stream.on('end', next);
        stream.resume();
      } catch (error) {
        wrong = error;
        parser.destroy();
      }
    });
    for await (const chunk of source) {
      await feed(parser, chunk, () => wrong !== undefined);
      if (wrong !== undefined) throw refusal(wrong);
      inForm(() => frame.take(chunk));
      yield chunk;
    }
    inForm(() => frame.end());
  }
  return { content: content(), root: () => root };
}

/** Resolves when all of the chunk was looked at. */
function feed(parser: ReturnType<typeof extract>, chunk: Uint8Array, isOver: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (isOver()) return resolve();
    const done = (): void => {
      parser.off('close', done);
      resolve();
    };
    parser.once('close', done);
    if (parser.write(chunk)) return done();
    parser.once('drain', done);
  });
}

function inForm(look: () => void): void {
  try {
    look();
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('BadRequest', `the body is no whole tar: ${messageOf(error)}`, {
    hint: 'Send what GET …/state gave, or what "tar -C FOLDER -c ." makes, without compression.',
    cause: error,
  });
}

function rootOf({ mode, uid, gid, mtime }: Header): VolumeRoot {
  return {
    mode: mode ?? 0o755,
    uid: uid ?? 0,
    gid: gid ?? 0,
    ...(mtime !== undefined && mtime !== null && { mtime }),
  };
}

/** Throws `BadRequest` for an entry that can not be, or leads elsewhere. @returns what it is */
function createRules(): (header: Header) => 'root' | 'inner' {
  /** Through which nothing may be put: whoever unpacks would follow them. */
  const links = new Set<string>();
  return (header) => {
    const { name, type, linkname } = header;
    if (typeof type !== 'string' || !TYPES.has(type)) {
      const hint =
        'Only files, folders, links and pipes are kept; GNU tar without --sparse writes the others as files.';
      throw bad(name, `is of a kind that no /state holds (${type ?? 'unknown'})`, hint);
    }
    mustBeRead(header);
    const parts = partsOf(name, name);
    if (parts.length === 0) {
      if (type === 'directory') return 'root';
      throw bad(name, 'is the folder itself, and no folder');
    }
    for (let depth = 1; depth < parts.length; depth++) {
      const above = parts.slice(0, depth).join('/');
      if (links.has(above)) throw bad(name, `lies behind the link ${JSON.stringify(above)}`);
    }
    const path = parts.join('/');
    if (type === 'link') partsOf(linkname ?? '', name);
    if (type !== 'symlink') return 'inner';
    if (links.size >= LINKS_MAX) throw bad(name, `is one link more than the ${LINKS_MAX} that are taken`);
    links.add(path);
    return 'inner';
  };
}

/** Throws `BadRequest` for an entry that readers take for different ones. */
function mustBeRead(header: Header): void {
  const { name, type, size = 0 } = header;
  // One that ends so is a folder to some, whatever else is said of it.
  const isFile = (type === 'file' || type === 'contiguous-file') && !name.endsWith('/');
  if (size > 0 && !isFile) throw bad(name, 'is no file, and has a body', PLAIN_HINT);
  const { pax } = header as { pax?: Record<string, string> | null };
  const sparse = Object.keys(pax ?? {}).find((key) => key.startsWith('GNU.sparse.'));
  if (sparse !== undefined) throw bad(name, `is a sparse file (${sparse})`, PLAIN_HINT);
}

/** Of a path below the folder. @param name of the entry that it is, or that points to it */
function partsOf(path: string, name: string): string[] {
  if (path.startsWith('/')) throw bad(name, 'is absolute, or leads to what is');
  if (path.includes('\0')) throw bad(name, 'holds a NUL character');
  if (Buffer.byteLength(path) > NAME_BYTES_MAX) throw bad(name, `is longer than ${NAME_BYTES_MAX} bytes`);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw bad(name, 'climbs out of the folder');
  return parts;
}

function bad(name: string, why: string, hint?: string): AppError {
  const shown = JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
  return new AppError('BadRequest', `the tar can not be a /state: ${shown} ${why}`, hint ? { hint } : {});
}
