import { type FSWatcher, watch as watchFolder } from 'node:fs';
import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { watch as chokidarWatch } from 'chokidar';
import type { Clock } from '../schemas/clock.ts';
import { TEMP_PREFIX } from './atomic-write.ts';
import { SETTLE_MS } from './settle.ts';

/** Looks happen at least this often while changes keep coming. */
const GATHER_MS_MAX = 500;

export interface Watch {
  /** Watches anew when a folder it watches was removed, replaced or appeared; called at every look. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Hints that something below `root` changed. A hint may be missing, late or double: it only means "look".
 * @param ignored folders, as absolute paths, that are not watched
 * @param onHint called SETTLE_MS after the last change, with the changed paths relative to `root`
 */
export function watchRegistry(
  root: string,
  ignored: readonly string[],
  clock: Clock,
  onHint: (paths: ReadonlySet<string>) => void,
): Watch {
  const programs = `${root}${sep}programs`;
  let gathered = new Set<string>();
  let cancel: (() => void) | undefined;
  let firstAt = 0;
  let identity = '';
  let watcher: ReturnType<typeof chokidarWatch> | undefined;
  let folders: FSWatcher[] = [];
  let closed = false;
  let refreshing: Promise<void> = Promise.resolve();

  const flush = () => {
    cancel = undefined;
    const paths = gathered;
    gathered = new Set();
    if (!closed) onHint(paths);
  };
  const onEvent = (_event: string, path: string) => {
    const now = clock.monotonic();
    if (gathered.size === 0) firstAt = now;
    gathered.add(relative(root, path).split(sep).join('/'));
    cancel?.();
    const wait = Math.min(SETTLE_MS + 1, Math.max(0, firstAt + GATHER_MS_MAX - now));
    cancel = clock.after(wait, flush);
  };

  /** inode of the root and of programs/: chokidar goes silent for good when these are replaced. */
  async function identify(): Promise<string> {
    const parts = [root, `${root}${sep}programs`, `${root}${sep}sources`].map((path) =>
      stat(path).then(
        ({ dev, ino }) => `${dev}:${ino}`,
        () => 'none',
      ),
    );
    return (await Promise.all(parts)).join(' ');
  }

  async function refreshNow(): Promise<void> {
    const now = await identify();
    if (closed || (now === identity && watcher !== undefined)) return;
    identity = now;
    await watcher?.close();
    for (const folder of folders) folder.close();
    if (closed) return;
    folders = [
      ...watchNames(programs, (name) => !name.startsWith(TEMP_PREFIX)),
      ...watchNames(root, isPrograms),
    ];
    const next = chokidarWatch(root, {
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) =>
        [programs, ...ignored].some((folder) => path === folder || path.startsWith(folder + sep)),
    });
    watcher = next;
    next.on('all', onEvent);
    // A watch that fails (too many files) costs speed, not correctness: the registry is looked at anyway.
    next.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      next.once('ready', resolve);
      next.once('error', () => resolve());
    });
  }

  /**
   * Hints from one folder alone. For programs/ chokidar would read the folder and stat every file in it after each
   * change, the host's own edits included: 65 ms an edit with 1,000 manifests. Whoever looks does that anyway.
   */
  function watchNames(folder: string, counts: (name: string) => boolean): FSWatcher[] {
    try {
      const made = watchFolder(folder, (event, name) => {
        if (!closed && (name === null || counts(name))) onEvent(event, `${folder}${sep}${name ?? ''}`);
      });
      // As with chokidar's: it costs speed, not correctness.
      made.on('error', () => undefined);
      return [made];
    } catch {
      return [];
    }
  }

  return {
    refresh() {
      refreshing = refreshing.then(refreshNow, refreshNow);
      return refreshing;
    },
    async close() {
      closed = true;
      cancel?.();
      await refreshing.catch(() => undefined);
      for (const folder of folders) folder.close();
      await watcher?.close();
    },
  };
}

const isPrograms = (name: string): boolean => name === 'programs';
