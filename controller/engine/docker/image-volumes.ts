import { posix } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import type Docker from 'dockerode';
import { extract, pack } from 'tar-stream';
import { AppError } from '../../../schemas/errors.ts';
import { type Connection, openStream } from './client.ts';
import { statusOf } from './errors.ts';
import { STATE_DIR } from './floor.ts';
import { isBelow } from './hardening.ts';
import { createHelper, type HelperImage, removeHelper } from './state-owner.ts';

/** As the kernel counts them before it gives up. */
const LINKS_MAX = 40;
/** Go's bit for a link in a file's mode. */
const MODE_SYMLINK = 2 ** 27;

/**
 * Looks at what only the image itself tells of its VOLUMEs, and makes ready what their read-only stand-ins need.
 *
 * - A VOLUME whose path is a link, or leads over one, is mounted where that leads; over /state it would hide what the
 *   program keeps. Rejects `StartFailed`.
 * - One inside another needs a folder to be mounted on, and nothing can make it there at the start, since the outer one
 *   is read-only by then. (Docker's own are writable, so it makes them: 20.10 to 28.5.)
 *
 * All in a second container, never started, in which the same volumes are writable. It fills them from the image as
 * the program's own would.
 * @param mounts of the stand-ins
 */
export async function prepareImageVolumes(
  connection: Connection,
  made: HelperImage,
  mounts: readonly Docker.MountSettings[],
): Promise<void> {
  if (mounts.length === 0) return;
  const writable = mounts.map((mount) => ({ ...mount, ReadOnly: false }));
  const helper = await createHelper(connection.quick, made, writable);
  try {
    const paths = mounts.map(({ Target }) => Target);
    let linkAt: LinkAt = (path) => linkOf(helper, path);
    for (const path of paths) {
      const leadsTo = await resolve(path, linkAt).catch(async (error: unknown) => {
        if (statusOf(error) !== 500) throw error;
        const links = await exportedLinks(connection.quick, helper.id);
        linkAt = async (at) => links.get(at);
        return resolve(path, linkAt);
      });
      if (leadsTo === STATE_DIR || isBelow(leadsTo, STATE_DIR) || isBelow(STATE_DIR, leadsTo))
        throw overState(path, leadsTo);
    }
    const inner = paths.filter((path) => paths.some((other) => isBelow(path, other)));
    if (inner.length > 0) await helper.putArchive(foldersOf(inner), { path: '/' });
  } finally {
    await removeHelper(helper);
  }
}

function overState(path: string, leadsTo: string): AppError {
  return new AppError(
    'StartFailed',
    `the image's VOLUME ${path} is a link to ${leadsTo}, over ${STATE_DIR}`,
    {
      hint: `Leave out that VOLUME: the link alone does what is meant, since ${STATE_DIR} is a volume of its own.`,
    },
  );
}

/** What a link at a path says, from the root; `undefined` for all else. */
type LinkAt = (path: string) => Promise<string | undefined>;

/** Where a path leads, links followed. What is not there leads to itself. */
async function resolve(path: string, linkAt: LinkAt): Promise<string> {
  const partsOf = (text: string) => text.split('/').filter((part) => part !== '');
  let rest = partsOf(path);
  let at = '/';
  for (let links = 0; rest.length > 0 && links <= LINKS_MAX; ) {
    const [part = '', ...more] = rest;
    const next = posix.join(at, part);
    const target = await linkAt(next);
    rest = target === undefined ? more : [...partsOf(target), ...more];
    at = target === undefined ? next : '/';
    if (target !== undefined) links++;
  }
  return at;
}

/**
 * All links of a container's own files, by path. Long, since it reads them all; but an engine that finds a VOLUME to be a
 * link from the root gives nothing else of that container (28.5.2 as Debian builds it: 500 `path escapes from parent`).
 */
async function exportedLinks(docker: Docker, id: string): Promise<ReadonlyMap<string, string>> {
  const links = new Map<string, string>();
  const body = await openStream(docker, `/containers/${id}/export`, {});
  const archive = extract();
  pipeline(body, archive, () => {});
  for await (const entry of archive) {
    const { header } = entry;
    const path = posix.resolve('/', header.name);
    if (header.type === 'symlink' && header.linkname)
      links.set(path, posix.resolve(posix.dirname(path), header.linkname));
    entry.resume();
  }
  return links;
}

/** See `LinkAt`; the engine has followed further ones already. */
async function linkOf(container: Docker.Container, path: string): Promise<string | undefined> {
  try {
    const answer = (await container.infoArchive({ path })) as NodeJS.ReadableStream & {
      headers: Record<string, string | undefined>;
    };
    answer.resume();
    const text = Buffer.from(answer.headers['x-docker-container-path-stat'] ?? '', 'base64').toString('utf8');
    const { mode = 0, linkTarget = '' } = JSON.parse(text) as { mode?: number; linkTarget?: string };
    // The mode has more bits than JavaScript's own operators look at.
    const isLink = Math.floor(mode / MODE_SYMLINK) % 2 === 1;
    return isLink && linkTarget !== '' ? posix.resolve(posix.dirname(path), linkTarget) : undefined;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** An archive with these folders. Unpacked over what is there, it changes nothing of it but for what is missing. */
function foldersOf(paths: readonly string[]): Readable {
  const archive = pack();
  for (const path of paths) archive.entry({ name: `${path.slice(1)}/`, type: 'directory', mode: 0o755 });
  archive.finalize();
  return Readable.from(archive);
}
