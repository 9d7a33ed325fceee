import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../schemas/clock.ts';
import { AppError, codeOf, describeProblem, messageOf, type Problem } from '../schemas/errors.ts';
import { NAME_PATTERN, type Program } from '../schemas/program.ts';
import type { HostPolicy } from '../schemas/validate.ts';
import { moveFile, writeAtomic } from './atomic-write.ts';
import { type BuildLogs, openBuildLogs } from './build-logs.ts';
import { type Contexts, openContexts } from './context.ts';
import { editManifest, replaceSpec } from './edit-manifest.ts';
import { type EventStore, openEventStore } from './event-store.ts';
import { type ParsedManifest, parseManifest } from './manifest.ts';
import { prepareRegistry, type RegistryPaths, registryPaths } from './paths.ts';
import { pruningPauses } from './prune.ts';
import { openRevisionStore, type RevisionStore } from './revision-store.ts';
import { MANIFEST_SUFFIX, type Scan, scanPrograms } from './scan.ts';
import { statKey } from './settle.ts';
import { openStatusStore, type StatusStore } from './status-store.ts';
import { type Watch, watchRegistry } from './watch.ts';

/** Files are looked at this often under the events (design: numbers). */
const LOOK_MS = 10_000;
/** A file that is gone is believed gone after this (design: absence). */
const ABSENT_MS = 500;
/** How often an edit starts over because somebody else wrote the file at the same moment. */
const EDIT_TRIES_MAX = 5;

/** One manifest as it stands on the disk. */
export interface ManifestEntry {
  name: string;
  text: string;
  /** See `etagOf`. */
  etag: string;
  program: Program | undefined;
  problems: readonly Problem[];
}

/**
 * What is wanted of a name: `present` (perhaps with problems), `gone` (its absence is believed: remove it) or
 * `unknown` (the file is missing, and that is not believed: leave everything as it is).
 */
export type Wanted = { kind: 'present'; entry: ManifestEntry } | { kind: 'gone' } | { kind: 'unknown' };

export interface RegistryChange {
  /** Programs whose manifest changed, appeared or went. */
  names: readonly string[];
  /** Other changed paths, relative to the root: sources. */
  paths: ReadonlySet<string>;
}

export interface RegistryHealth {
  /** One complete look was made. */
  scanned: boolean;
  /** Why the last look was not complete, or `""`. */
  message: string;
  /** Programs whose manifests are missing and who keep running until somebody confirms. */
  paused: readonly string[];
}

export interface Registry {
  readonly paths: RegistryPaths;
  readonly status: StatusStore;
  readonly events: EventStore;
  readonly revisions: RevisionStore;
  readonly buildLogs: BuildLogs;
  readonly contexts: Contexts;

  /** Manifests that are there, sorted by name. */
  list(): ManifestEntry[];
  get(name: string): ManifestEntry | undefined;
  wanted(name: string): Wanted;
  /** Names whose manifest is missing while that is not believed, sorted. */
  missing(): string[];
  health(): RegistryHealth;
  subscribe(listener: (change: RegistryChange) => void): () => void;

  /**
   * Says that the manifest of a name is about to be written, so that a ledger written before it is not taken for
   * that of a program which was deleted. Gives the function that ends it.
   */
  announce(name: string): () => void;
  /** Writes a new manifest. Rejects `Conflict` where the file, or one that differs by case only, is there. */
  create(name: string, text: string): Promise<ManifestEntry>;
  /** Replaces a manifest. Rejects `PreconditionFailed` unless the file on the disk is the one `etag` names. */
  replace(name: string, text: string, etag: string): Promise<ManifestEntry>;
  /** Sets fields of `spec` in the file as it is on the disk now. Rejects `NotFound`, or `Conflict` where it is not valid. */
  editSpec(name: string, fields: Record<string, string>): Promise<ManifestEntry>;
  /** Makes `spec` another one, see `replaceSpec` of edit-manifest.ts. Rejects as `editSpec` does. */
  replaceSpec(name: string, spec: Record<string, unknown>): Promise<ManifestEntry>;
  /** Moves the manifest to the trash. Rejects `NotFound`. */
  remove(name: string): Promise<void>;
  /** Believes the absence of all that is missing. Gives their names. */
  confirmPrune(): string[];
  /** Notes that a volume belongs to nobody any more, and since when; it is taken back with the same name and user. */
  trashVolume(name: string, volume: string, userId: string): Promise<void>;
  /** Parses a text as if it were the manifest of that name. */
  parse(name: string, text: string): ParsedManifest;
  /** Looks at the files now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

export interface RegistryOptions {
  root: string;
  policy: HostPolicy;
  clock: Clock;
  onWarning: (fields: object, message: string) => void;
}

/** Makes, reads and watches a registry. Rejects `RegistryUnavailable`. */
export async function openRegistry({ root, policy, clock, onWarning }: RegistryOptions): Promise<Registry> {
  const paths = registryPaths(root);
  await prepareRegistry(paths);
  const status = await openStatusStore(paths.status);
  const onWriteError = (error: unknown) =>
    onWarning({ error: messageOf(error) }, 'a file of data/ can not be written');
  const entries = new Map<string, ManifestEntry>();
  /** Names by their lower-case form, in order of appearance. */
  const folded = new Map<string, Set<string>>();
  /** Stat keys of the files as last read. */
  const keys = new Map<string, string>();
  /** Names that are missing: since when (monotonic), and whether somebody stated the wish. */
  const absent = new Map<string, { sinceMs: number; stated: boolean }>();
  /** Names whose manifest is about to be written. */
  const announced = new Set<string>();
  const listeners = new Set<(change: RegistryChange) => void>();
  let health: RegistryHealth = { scanned: false, message: 'programs/ was not read yet', paused: [] };
  let cancelLook: (() => void) | undefined;
  let closed = false;
  /** Looks and writes go one after the other. */
  let tail: Promise<unknown> = Promise.resolve();

  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const next = tail.then(work, work);
    tail = next.catch(() => undefined);
    return next;
  };
  const notify = (names: readonly string[], changed: ReadonlySet<string> = new Set()) => {
    if (names.length === 0 && changed.size === 0) return;
    for (const listener of listeners) listener({ names, paths: changed });
  };
  const fileOf = (name: string) => join(paths.programs, `${name}${MANIFEST_SUFFIX}`);
  const labelOf = (name: string) => `programs/${name}${MANIFEST_SUFFIX}`;
  const parse = (name: string, text: string) => parseManifest(text, labelOf(name), name, policy);

  /** Another name that differs by case only and was there first. */
  function clashOf(name: string): string | undefined {
    return [...(folded.get(name.toLowerCase()) ?? [])].find((other) => other !== name);
  }

  function keep(entry: ManifestEntry): void {
    const fold = entry.name.toLowerCase();
    folded.set(fold, (folded.get(fold) ?? new Set()).add(entry.name));
    entries.set(entry.name, entry);
  }

  function drop(name: string): void {
    entries.delete(name);
    keys.delete(name);
    const same = folded.get(name.toLowerCase());
    same?.delete(name);
    // One that was refused because of this one is read again at the next look.
    for (const other of same ?? []) keys.delete(other);
  }

  function entryOf(name: string, text: string): ManifestEntry {
    const clash = clashOf(name);
    const parsed = parse(name, text);
    const problems = clash === undefined ? parsed.problems : [...parsed.problems, caseProblem(name, clash)];
    const program = problems.length === 0 ? parsed.program : undefined;
    return { name, text, etag: etagOf(text), program, problems };
  }

  /** Takes in what a look found. Gives the names that changed. */
  function absorb(scan: Scan): string[] {
    const changed: string[] = [];
    const present = new Set(scan.files.map(({ name }) => name));
    for (const file of scan.files) {
      if (absent.delete(file.name)) changed.push(file.name);
      if (file.text !== undefined) {
        keys.set(file.name, file.key);
        if (entries.get(file.name)?.text === file.text && entries.get(file.name)?.program !== undefined)
          continue;
        keep(entryOf(file.name, file.text));
        changed.push(file.name);
      } else if (file.unreadable !== undefined) {
        keys.set(file.name, file.key);
        const before = entries.get(file.name);
        const problems = [file.unreadable];
        keep({ name: file.name, text: '', etag: etagOf(''), program: undefined, problems });
        if (before?.problems[0]?.message !== file.unreadable.message) changed.push(file.name);
      }
    }
    for (const name of [...entries.keys(), ...status.names()]) {
      if (present.has(name) || absent.has(name) || announced.has(name)) continue;
      absent.set(name, { sinceMs: clock.monotonic(), stated: false });
      drop(name);
      changed.push(name);
    }
    for (const name of absent.keys()) if (!knows(name)) absent.delete(name);
    return changed;
  }

  /** Whether the host has, or had until now, a program of that name. */
  const knows = (name: string) => status.get(name) !== undefined;

  /** Which missing names wait for a confirmation. */
  function pausedNames(): string[] {
    const unstated = [...absent].filter(([, { stated }]) => !stated).map(([name]) => name);
    const known = status.names().filter((name) => absent.get(name)?.stated !== true).length;
    return pruningPauses(known, unstated.length) ? unstated.sort() : [];
  }

  async function lookNow(): Promise<void> {
    if (closed) return;
    cancelLook?.();
    await watch.refresh();
    const scan = await scanPrograms(paths.programs, keys, clock.now());
    if (!scan.complete) {
      if (health.message !== scan.message) onWarning({ folder: paths.programs }, scan.message);
      health = { ...health, message: scan.message };
      schedule(LOOK_MS);
      return;
    }
    const changed = absorb(scan);
    await believeTrash();
    const before = health.paused;
    health = { scanned: true, message: '', paused: pausedNames() };
    if (health.paused.length > 0 && before.length !== health.paused.length) {
      onWarning(
        { missing: health.paused },
        'most manifests are gone: nothing is removed until that is confirmed',
      );
    }
    const settling = [...absent.values()].some(
      ({ stated, sinceMs }) => !stated && clock.monotonic() - sinceMs < ABSENT_MS,
    );
    // Names whose absence becomes believed later are told of again, since nothing else would.
    const believed = [...absent.keys()].filter((name) => !changed.includes(name));
    schedule(Math.min(LOOK_MS, scan.againMs || LOOK_MS, settling ? ABSENT_MS : LOOK_MS));
    notify([...changed, ...believed]);
  }

  function schedule(ms: number): void {
    if (closed) return;
    cancelLook?.();
    cancelLook = clock.after(ms, () => void look());
  }

  /** A manifest that lies in the trash since after its program was made was removed by a stated wish. */
  async function believeTrash(): Promise<void> {
    const open = [...absent].filter(([, { stated }]) => !stated);
    if (open.length === 0) return;
    const trash = await readdir(paths.trash).catch(() => []);
    for (const [name, absence] of open) {
      const createdMs = Date.parse(status.get(name)?.createdAt ?? '') || 0;
      const stated = trash.some((file) => {
        const match = /^(.+)\.(\d+)\.yaml$/.exec(file);
        return match?.[1] === name && Number(match[2]) >= createdMs;
      });
      if (stated) absent.set(name, { ...absence, stated: true });
    }
  }

  function look(): Promise<void> {
    return exclusive(lookNow).catch((error: unknown) => {
      onWarning({ error: messageOf(error) }, 'the registry could not be looked at');
      schedule(LOOK_MS);
    });
  }

  const ignored = [join(root, '.git'), paths.status, paths.data];
  const watch: Watch = watchRegistry(root, ignored, clock, (changed) => {
    const others = new Set(
      [...changed].filter((path) => path !== 'programs' && !path.startsWith('programs/')),
    );
    notify([], others);
    if (others.size < changed.size || changed.has('')) void look();
  });

  /** The file as it is now, or undefined. */
  async function readNow(name: string): Promise<{ text: string; key: string } | undefined> {
    try {
      const key = statKey(await stat(fileOf(name), { bigint: true }));
      return { text: await readFile(fileOf(name), 'utf8'), key };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw unwritable(name, error);
    }
  }

  async function written(name: string, text: string): Promise<ManifestEntry> {
    keys.set(name, statKey(await stat(fileOf(name), { bigint: true })));
    absent.delete(name);
    const entry = entryOf(name, text);
    keep(entry);
    notify([name]);
    return entry;
  }

  /** Replaces the file by what `change` makes of it, never a version that `change` has not seen. */
  async function rewrite(name: string, change: (text: string) => string): Promise<ManifestEntry> {
    for (let attempt = 0; attempt < EDIT_TRIES_MAX; attempt++) {
      const current = await readNow(name);
      if (current === undefined) throw notFound(name);
      const text = change(current.text);
      try {
        await writeAtomic(fileOf(name), text, {
          beforeRename: async () => {
            if ((await readNow(name))?.key !== current.key) throw new ChangedMeanwhile();
          },
        });
      } catch (error) {
        if (error instanceof ChangedMeanwhile) continue;
        throw unwritable(name, error);
      }
      return written(name, text);
    }
    throw new AppError('Conflict', `${labelOf(name)} is being changed by somebody else; try again`);
  }

  await look();
  if (!health.scanned && health.message === '')
    throw new AppError('RegistryUnavailable', 'programs/ can not be read');

  return {
    paths,
    status,
    events: openEventStore(paths.events, onWriteError),
    revisions: openRevisionStore(paths.revisions),
    buildLogs: openBuildLogs(paths.builds, onWriteError),
    contexts: openContexts(root, paths.contexts, () => clock.now()),
    list: () => [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    get: (name) => entries.get(name),
    missing: () =>
      [...absent]
        .filter(([name, { stated }]) => !stated && knows(name))
        .map(([name]) => name)
        .sort(),
    health: () => health,
    parse,
    look,
    wanted(name) {
      const entry = entries.get(name);
      if (entry !== undefined) return { kind: 'present', entry };
      const absence = absent.get(name);
      if (absence?.stated) return { kind: 'gone' };
      if (absence === undefined || health.message !== '' || health.paused.includes(name))
        return { kind: 'unknown' };
      return clock.monotonic() - absence.sinceMs >= ABSENT_MS ? { kind: 'gone' } : { kind: 'unknown' };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    announce(name) {
      announced.add(name);
      return () => announced.delete(name);
    },
    create: (name, text) =>
      exclusive(async () => {
        if (!NAME_PATTERN.test(name)) throw new AppError('BadRequest', `${name} is not a valid program name`);
        const clash = entries.has(name) ? name : clashOf(name);
        if (clash !== undefined) throw new AppError('Conflict', `${labelOf(clash)} exists already`);
        try {
          await writeAtomic(fileOf(name), text, { exclusive: true });
        } catch (error) {
          if (codeOf(error) === 'EEXIST') throw new AppError('Conflict', `${labelOf(name)} exists already`);
          throw unwritable(name, error);
        }
        return written(name, text);
      }),
    replace: (name, text, etag) =>
      exclusive(() =>
        rewrite(name, (current) => {
          if (etagOf(current) !== etag) {
            throw new AppError('PreconditionFailed', `${labelOf(name)} was changed since you read it`, {
              hint: 'Get the manifest again, repeat your edit on it and send it with its new ETag as If-Match.',
            });
          }
          return text;
        }),
      ),
    editSpec: (name, fields) => editValid(name, (text) => editManifest(text, fields)),
    replaceSpec: (name, spec) => editValid(name, (text) => replaceSpec(text, spec)),
    remove: (name) =>
      exclusive(async () => {
        const known = entries.has(name) || absent.get(name)?.stated === false;
        if (!known) throw notFound(name);
        try {
          const target = join(paths.trash, `${name}.${clock.now()}${MANIFEST_SUFFIX}`);
          await moveFile(fileOf(name), target, (path) => readFile(path));
        } catch (error) {
          if (codeOf(error) !== 'ENOENT') throw unwritable(name, error);
        }
        drop(name);
        absent.set(name, { sinceMs: clock.monotonic(), stated: true });
        health = { ...health, paused: pausedNames() };
        notify([name]);
      }),
    confirmPrune() {
      if (health.message !== '') {
        throw new AppError(
          'RegistryUnavailable',
          `${health.message}; nothing can be pruned while that is so`,
        );
      }
      const names = health.paused;
      for (const name of names) absent.set(name, { sinceMs: clock.monotonic(), stated: true });
      health = { ...health, paused: [] };
      notify(names);
      return [...names];
    },
    async trashVolume(name, volume, userId) {
      const deletedAt = new Date(clock.now()).toISOString();
      const record = `${JSON.stringify({ name, userId, volume, deletedAt })}\n`;
      await writeAtomic(join(paths.trash, `${name}.${clock.now()}.volume.json`), record, { mode: 0o600 });
    },
    async close() {
      closed = true;
      cancelLook?.();
      await watch.close();
      await tail;
    },
  };

  function editValid(name: string, change: (text: string) => string): Promise<ManifestEntry> {
    return exclusive(() =>
      rewrite(name, (current) => {
        const { problems } = parse(name, current);
        if (problems.length === 0) return change(current);
        throw new AppError('Conflict', `${problems.map(describeProblem)[0]}`, {
          hint: 'The manifest has to be valid before it can be edited by a call: mend the file, or PUT a new one.',
          details: problems,
        });
      }),
    );
  }

  function unwritable(name: string, error: unknown): AppError {
    if (error instanceof AppError) return error;
    return new AppError(
      'RegistryUnavailable',
      `${labelOf(name)} can not be read or written: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'Check the folder programs/: is it there, writable, and the disk not full?',
      },
    );
  }

  function notFound(name: string): AppError {
    return new AppError('NotFound', `program ${name} not found`);
  }

  function caseProblem(name: string, clash: string): Problem {
    const message = `metadata.name differs from ${clash} by case only: choose another name`;
    return { file: labelOf(name), path: 'metadata.name', message };
  }
}

class ChangedMeanwhile extends Error {}

/** Strong ETag of a text, without the quotes: 32 hex digits of its sha256. */
export function etagOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
