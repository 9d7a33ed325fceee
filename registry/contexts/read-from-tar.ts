import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';

/** A link that leads to more is one in a circle. */
const LINKS_MAX = 40;

/**
 * The text of one file of a snapshot, links followed within it as a builder does. Undefined where there is none.
 * @param open gives the tar from its beginning; called twice where links are followed
 * @param name as the tar has it
 * @param bytesMax of a longer one so much and a byte more is given
 */
export async function readFromTar(
  open: () => NodeJS.ReadableStream,
  name: string,
  bytesMax: number,
): Promise<string | undefined> {
  const first = await scan(open(), name, bytesMax);
  if (first.text !== undefined) return first.text;
  const target = followed(name, first.links);
  return target === undefined || target === name ? undefined : (await scan(open(), target, bytesMax)).text;
}

/** Up to the file, or to the end where it is not there. */
async function scan(
  tar: NodeJS.ReadableStream,
  wanted: string,
  bytesMax: number,
): Promise<{ text?: string; links: ReadonlyMap<string, string> }> {
  const links = new Map<string, string>();
  const unpacked = extract();
  const over = new AbortController();
  const read = pipeline(tar, unpacked, { signal: over.signal });
  // What breaks off the reading is told by the loop, which fails with it, or has what it wanted.
  read.catch(() => undefined);
  try {
    for await (const entry of unpacked) {
      const { name, type, linkname } = entry.header;
      if (type === 'symlink') links.set(name, linkname ?? '');
      if (type !== 'file' || name !== wanted) {
        entry.resume();
        continue;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > bytesMax) break;
      }
      return {
        text: Buffer.concat(chunks)
          .subarray(0, bytesMax + 1)
          .toString('utf8'),
        links,
      };
    }
    await read;
    return { links };
  } finally {
    over.abort();
    (tar as { destroy?: () => void }).destroy?.();
  }
}

/** Where a name leads to; `/` is the root of the context, and nothing is above it. */
function followed(name: string, links: ReadonlyMap<string, string>): string | undefined {
  let left = name.split('/');
  let at = '';
  for (let count = 0; left.length > 0; ) {
    const [part = '', ...rest] = left;
    const next = posix.join('/', at, part).slice(1);
    const link = links.get(next);
    left = rest;
    if (link === undefined) {
      at = next;
      continue;
    }
    if (++count > LINKS_MAX) return undefined;
    left = [...link.split('/'), ...rest].filter((one) => one !== '' && one !== '.');
    if (link.startsWith('/')) at = '';
  }
  return at;
}
