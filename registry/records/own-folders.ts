import { access, constants, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf } from '../../schemas/errors.ts';
import { TEMP_PREFIX } from '../files/atomic-write.ts';
import { folderKey } from '../files/settle.ts';
import { makeOwnFolder, type OwnFolder, ownFolders, type RegistryPaths } from '../paths.ts';
import type { StatusStore } from './status-store.ts';

/** What is gone is made again after this: whoever removes the whole registry is not to find it there anew. */
const REMAKE_MS = 1_000;
/** As much as the smallest file takes on most disks. */
const PROBE_BYTES = 4096;

/** `status/` and `data/` while the host runs: made again where somebody took them away, with what is known in them. */
export interface OwnFolders {
  /** Part of every complete look. Gives the milliseconds after which there is more to do; 0 for nothing. */
  look(): Promise<number>;
  /**
   * Part of every look, though it be incomplete: takes away what a commit put there and leads elsewhere, before more
   * is written through it.
   */
  dropLinks(): Promise<void>;
  /** A file of `data/` could not be written: at each look it is tried whether any can. */
  suspect(): void;
  /** For people: which of the two can not be written at present, and why. */
  warnings(): string[];
}

interface Watched extends OwnFolder {
  goneSinceMs: number | undefined;
  /** Why it can not be written, or `""`. */
  trouble: string;
}

/**
 * @param monotonic milliseconds
 * @param links gives what leads elsewhere in them by a commit, relative to the registry
 */
export function createOwnFolders(
  paths: RegistryPaths,
  status: Pick<StatusStore, 'names' | 'compare' | 'rewrite'>,
  monotonic: () => number,
  onWarning: (fields: object, message: string) => void,
  links: () => Promise<string[]>,
): OwnFolders {
  const watched = ownFolders(paths).map((own): Watched => ({ ...own, goneSinceMs: undefined, trouble: '' }));
  /** Of status/ as last written to: one that was put in its place holds something else. */
  let identity: string | undefined;
  let suspected = false;

  /** Names of statuses that are not in the folder, though they were written. */
  async function lostStatuses(): Promise<string[]> {
    const files = await readdir(paths.status).catch(() => undefined);
    identity ??= await identityOf(paths.status);
    if (files === undefined || (await identityOf(paths.status)) !== identity) return status.names();
    return status.compare(new Set(files));
  }

  async function mend(own: Watched, isWhole: boolean, lost: readonly string[]): Promise<void> {
    if (!isWhole) await makeOwnFolder(own);
    await access(own.path, constants.W_OK | constants.X_OK);
    if (own.path === paths.status) {
      await status.rewrite(lost);
      identity = await identityOf(own.path);
    } else if (suspected) {
      await probe(own.path);
      suspected = false;
    }
  }

  /** A folder that git turned into a link while the host runs was one of its own before: it gets that again. */
  async function dropLinks(): Promise<void> {
    for (const path of await links()) {
      await rm(join(paths.root, path), { recursive: true, force: true });
      onWarning({ path }, 'a commit put a link where the host writes, which was removed: take it out of git');
    }
  }

  async function lookAt(own: Watched): Promise<number> {
    const lost = own.path === paths.status ? await lostStatuses() : [];
    const isWhole = lost.length === 0 && (await isThere(own));
    own.goneSinceMs = isWhole ? undefined : (own.goneSinceMs ?? monotonic());
    const waitMs = isWhole ? 0 : (own.goneSinceMs ?? 0) + REMAKE_MS - monotonic();
    if (waitMs > 0) return waitMs;
    const before = own.trouble;
    own.trouble = await mend(own, isWhole, lost).then(() => '', whyOf);
    if (own.trouble !== '' && before === '')
      onWarning({ error: own.trouble }, `${labelOf(own)} can not be written`);
    if (own.trouble === '') own.goneSinceMs = undefined;
    return 0;
  }

  return {
    dropLinks,
    async look() {
      await dropLinks();
      const waits = await Promise.all(watched.map(lookAt));
      return Math.max(...waits);
    },
    suspect() {
      suspected = true;
    },
    warnings: () =>
      watched.flatMap((own) =>
        own.trouble === '' ? [] : [`${labelOf(own)} can not be written: ${own.trouble}`],
      ),
  };
}

/** The system's own word. */
const whyOf = (error: unknown) => messageOf((error instanceof Error && error.cause) || error);

const labelOf = ({ path }: OwnFolder) => `${basename(path)}/`;

async function isThere({ path, inner }: OwnFolder): Promise<boolean> {
  const [ignore, ...folders] = await Promise.all(
    [join(path, '.gitignore'), ...inner].map((one) => stat(one).catch(() => undefined)),
  );
  return ignore !== undefined && folders.every((stats) => stats?.isDirectory() === true);
}

async function identityOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats && folderKey(stats);
}

async function probe(folder: string): Promise<void> {
  const path = join(folder, `${TEMP_PREFIX}probe`);
  try {
    await writeFile(path, Buffer.alloc(PROBE_BYTES), { mode: 0o600 });
  } finally {
    await rm(path, { force: true });
  }
}
