import { type FSWatcher, watch as watchFolder } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { watch as chokidarWatch } from 'chokidar';
import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import { isTemporary } from '../files/atomic-write.ts';
import { isEditors } from '../files/editor-file.ts';
import { isWithin } from '../files/is-within.ts';
import { folderKey, SETTLE_MS } from '../files/settle.ts';

/** Looks happen at least this often while changes keep coming. */
const GATHER_MS_MAX = 500;
/** Manifests that come together are looked at together; one still being written is found so by the look itself. */
const MANIFEST_MS = 5;
const PROGRAMS = 'programs';

export interface Watch {
  /** Watches anew when a folder it watches was removed, replaced or appeared; called at every look. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Hints that something below `root` changed. A hint may be missing, late or double: it only means "look".
 * @param ignored folders, as absolute paths, that are not watched
 * @param onHint called when nothing more changed for a while, which is shorter for manifests, with the changed paths
 * relative to `root`; `""` stands for what changed before the watch could see it
 * @param onError told once, each time the watch begins, that not everything can be watched
 */
export function watchRegistry(
  root: string,
  ignored: readonly string[],
  clock: Clock,
  onHint: (paths: ReadonlySet<string>) => void,
  onError: (message: string) => void = () => undefined,
): Watch {
  let watched = new Set<string>();
  let close: (() => Promise<void>) | undefined;
  let closed = false;
  let refreshing: Promise<void> = Promise.resolve();

  const manifests = createGatherer(clock, MANIFEST_MS, onHint);
  const others = createGatherer(clock, SETTLE_MS + 1, onHint);
  const gather = (path: string) => {
    if (!closed) (path.startsWith(`${PROGRAMS}/`) ? manifests : others).add(path);
  };

  async function refreshNow(): Promise<void> {
    const folders = await locate(root);
    const now = new Set(folders.map(({ identity }) => identity));
    const replaced = folders.filter(({ identity }) => !watched.has(identity));
    if (closed || (close !== undefined && replaced.length === 0 && now.size === watched.size)) return;
    const isFirst = close === undefined;
    await close?.();
    watched = now;
    if (closed) return;
    const realIgnored = await Promise.all(ignored.map((path) => realpath(path).catch(() => path)));
    let told = false;
    close = begin(folders, [...ignored, ...realIgnored], {
      onChange: gather,
      // What can not be watched costs speed, not correctness: the registry is looked at anyway.
      onError(error) {
        if (!told && !closed) onError(messageOf(error));
        told = true;
      },
      // Nobody waits for it, since a large tree takes long: the look it asks for finds what changed until then.
      onReady() {
        gather('');
        if (!isFirst) for (const { name } of replaced) gather(name);
      },
    });
  }

  return {
    refresh() {
      refreshing = refreshing.then(refreshNow, refreshNow);
      return refreshing;
    },
    async close() {
      closed = true;
      manifests.end();
      others.end();
      await refreshing.catch(() => undefined);
      await close?.();
    },
  };
}

/** Paths that change one soon after the other, told together when none came for `calmMs`, or after GATHER_MS_MAX. */
function createGatherer(clock: Clock, calmMs: number, onGathered: (paths: ReadonlySet<string>) => void) {
  let gathered = new Set<string>();
  let cancel: (() => void) | undefined;
  let firstAt = 0;
  const flush = () => {
    cancel = undefined;
    const paths = gathered;
    gathered = new Set();
    onGathered(paths);
  };
  return {
    add(path: string) {
      const now = clock.monotonic();
      if (gathered.size === 0) firstAt = now;
      gathered.add(path);
      cancel?.();
      cancel = clock.after(Math.min(calmMs, Math.max(0, firstAt + GATHER_MS_MAX - now)), flush);
    },
    end: () => cancel?.(),
  };
}

interface Events {
  onChange: (path: string) => void;
  onError: (error: unknown) => void;
  onReady: () => void;
}

/** Begins to watch. Gives the function that ends it. */
function begin(folders: readonly Folder[], ignored: readonly string[], events: Events): () => Promise<void> {
  const programs = folders.find(({ name }) => name === PROGRAMS);
  const root = folders.find(({ name }) => name === '');
  const skipped = programs === undefined ? ignored : [...ignored, programs.real];
  const isSkipped = (path: string) => skipped.some((folder) => isWithin(folder, path));
  const trees = folders
    .map(({ real }) => real)
    .filter((real) => real !== programs?.real && !folders.some((other) => real.startsWith(other.real + sep)));
  const tree = chokidarWatch(trees, { ignoreInitial: true, followSymlinks: false, ignored: isSkipped });
  tree.on('all', (_event, path) => {
    if (!isEditors(basename(path))) events.onChange(nameIn(folders, path));
  });
  tree.on('error', events.onError);
  tree.once('ready', events.onReady);
  const names = [
    ...watchNames(programs, (name) => !isTemporary(name) && !isEditors(name), events),
    // The last two are looked at when they come or go, and not for what the host writes in them.
    ...watchNames(root, (name) => [PROGRAMS, 'status', 'data'].includes(name), events),
  ];
  return async () => {
    for (const watcher of names) watcher.close();
    await tree.close();
  };
}

/**
 * Hints from one folder alone. For programs/ chokidar would read the folder and stat every file in it after each
 * change, the host's own edits included: 65 ms an edit with 1,000 manifests. Whoever looks does that anyway.
 */
function watchNames(
  folder: Folder | undefined,
  counts: (name: string) => boolean,
  events: Events,
): FSWatcher[] {
  if (folder === undefined) return [];
  try {
    const made = watchFolder(folder.real, (_event, name) => {
      if (name === null || counts(name))
        events.onChange([folder.name, name ?? ''].filter((part) => part !== '').join('/'));
    });
    made.on('error', events.onError);
    return [made];
  } catch (error) {
    events.onError(error);
    return [];
  }
}

interface Folder {
  /** Relative to the root: `""`, `programs`, `sources`. */
  name: string;
  /** Where it really lies: a link itself never changes. */
  real: string;
  identity: string;
}

/** The folders to watch. Their identity tells when one was replaced, or lies elsewhere. */
async function locate(root: string): Promise<Folder[]> {
  const folders: Folder[] = [];
  for (const name of ['', PROGRAMS, 'sources']) {
    try {
      const real = await realpath(join(root, name));
      const key = folderKey(await stat(real, { bigint: true }));
      folders.push({ name, real, identity: `${name}=${real}:${key}` });
    } catch {
      // It is not there now; when it comes, the identities are others.
    }
  }
  return folders;
}

/** What a real path is called in the registry. */
function nameIn(folders: readonly Folder[], path: string): string {
  const within = folders
    .filter(({ real }) => isWithin(real, path))
    .sort((a, b) => b.real.length - a.real.length)[0];
  if (within === undefined) return '';
  const inner = relative(within.real, path).split(sep).join('/');
  return [within.name, inner].filter((part) => part !== '').join('/');
}
