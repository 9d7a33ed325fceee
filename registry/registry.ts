import { createHash } from 'node:crypto';
import { readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../schemas/clock.ts';
import { AppError, describeProblem, messageOf, type Problem } from '../schemas/errors.ts';
import { NAME_PATTERN, type Program } from '../schemas/program.ts';
import type { HostPolicy } from '../schemas/validate.ts';
import { writeAtomic } from './atomic-write.ts';
import { type BuildLogs, openBuildLogs } from './build-logs.ts';
import { type Contexts, openContexts } from './context.ts';
import { editManifest, replaceSpec } from './edit-manifest.ts';
import { type EventStore, openEventStore } from './event-store.ts';
import type { Git } from './git.ts';
import type { Intent } from './git-lock.ts';
import { programOf } from './git-state.ts';
import { createSourcesKeeper, removeFolder, together } from './kept-sources.ts';
import { newManifest, type ParsedManifest, parseManifest } from './manifest.ts';
import { createManifestFiles, type FileEdit, labelOf, notFound } from './manifest-files.ts';
import { prepareRegistry, type RegistryPaths, registryPaths } from './paths.ts';
import { pruningPauses } from './prune.ts';
import { openRevisionStore, type RevisionStore } from './revision-store.ts';
import { type Scan, scanPrograms } from './scan.ts';
import { writeSources } from './sources.ts';
import { openStatusStore, type StatusStore } from './status-store.ts';
import { type Watch, watchRegistry } from './watch.ts';

/** Files are looked at this often under the events (design: numbers). */
const LOOK_MS = 10_000;
/** A file that is gone is believed gone after this (design: absence). */
const ABSENT_MS = 500;
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
  /** What else people have to know, e.g. that the remote can not be followed. */
  warnings: readonly string[];
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
  /**
   * Where the registry is a git work tree, every edit below is a commit with the words of `intent`, and is refused as
   * `Git.record` says; the files are then as before. The promise resolves, and others learn of it, when it is made.
   *
   * Writes a new manifest. Rejects `Conflict` where the file, or one that differs by case only, is there.
   */
  create(name: string, text: string, intent?: Intent): Promise<ManifestEntry>;
  /** Writes what a `POST` brought under `sources/`, and a manifest of a stopped program that is built from it. */
  createFromSources(name: string, sources: NewSources, intent?: Intent): Promise<ManifestEntry>;
  /** Replaces a manifest. Rejects `PreconditionFailed` unless the file on the disk is the one `etag` names. */
  replace(name: string, text: string, etag: string, intent?: Intent): Promise<ManifestEntry>;
  /** Sets fields of `spec` in the file as it is on the disk now. Rejects `NotFound`, or `Conflict` where it is not valid. */
  editSpec(name: string, fields: Record<string, string>, intent?: Intent): Promise<ManifestEntry>;
  /** Makes `spec` another one, see `replaceSpec` of edit-manifest.ts. Rejects as `editSpec` does. */
  replaceSpec(name: string, spec: Record<string, unknown>, intent?: Intent): Promise<ManifestEntry>;
  /** Moves the manifest to the trash. Rejects `NotFound`. */
  remove(name: string, intent?: Intent): Promise<void>;
  /** Throws `Conflict` where no edit is possible at present, whatever it is: the registry follows a remote. */
  mustBeEditable(): void;
  /** The git commit that the manifest in force, and its context, are those of; `""` without one. */
  commitOf(name: string, context: string | undefined): string;
  /** Believes the absence of all that is missing. Gives their names. */
  confirmPrune(): string[];
  /** Notes that a volume belongs to nobody any more, and since when; it is taken back with the same name and user. */
  trashVolume(name: string, volume: string, userId: string): Promise<void>;
  /**
   * Moves a folder that the API made under `sources/` to the trash, unless a manifest or a spec in force names it, or
   * git has it or would take it in. Gives whether it went.
   */
  trashSources(folder: string): Promise<boolean>;
  /** Parses a text as if it were the manifest of that name. */
  parse(name: string, text: string): ParsedManifest;
  /** Looks at the files now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** What a `POST /programs` brought. */
export interface NewSources {
  userId: string;
  buildId: string;
  files: ReadonlyMap<string, string>;
}

export interface RegistryOptions {
  root: string;
  /** The git work tree that the root is the top of, if it is one. It is closed with the registry. */
  git?: Git | undefined;
  policy: HostPolicy;
  clock: Clock;
  onWarning: (fields: object, message: string) => void;
  /** Gives hints of changed files; a simulation brings its own. */
  watchFiles?: typeof watchRegistry;
}

/** Makes, reads and watches a registry. Rejects `RegistryUnavailable`. */
export async function openRegistry({
  root,
  git,
  policy,
  clock,
  onWarning,
  watchFiles = watchRegistry,
}: RegistryOptions): Promise<Registry> {
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
  let health: Omit<RegistryHealth, 'warnings'> = {
    scanned: false,
    message: 'programs/ was not read yet',
    paused: [],
  };
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
  const files = createManifestFiles(paths.programs, paths.trash, () => clock.now());
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
    // A checkout or rebase that is under way is given time to end: what lies there now is nobody's wish.
    const busyMs = health.scanned ? ((await git?.busyMs()) ?? 0) : 0;
    if (busyMs > 0) {
      schedule(busyMs);
      return;
    }
    await watch.refresh();
    const scan = await scanPrograms(paths.programs, keys, clock.now());
    if (!scan.complete) {
      if (health.message !== scan.message) onWarning({ folder: paths.programs }, scan.message);
      health = { ...health, message: scan.message };
      schedule(LOOK_MS);
      return;
    }
    if (scan.files.length !== entries.size || scan.files.some(({ text }) => text !== undefined)) git?.touch();
    // Before the files count, so that nobody sees a program without the commit it came with.
    const moved = (await git?.refresh()) ?? new Set<string>();
    const changed = absorb(scan);
    await believeTrash();
    believeCommits();
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
    const manifests = [...moved].flatMap((path) => programOf(path) ?? []);
    const others = [...moved].filter((path) => programOf(path) === undefined);
    notify([...new Set([...changed, ...believed, ...manifests])], new Set(others));
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

  /** A manifest that was in the commit we last saw, and is in HEAD no more, was removed by a stated wish. */
  function believeCommits(): void {
    if (git === undefined || git.operation() !== '') return;
    for (const [name, absence] of absent) {
      const came = status.get(name)?.observedRevision ?? '';
      if (!absence.stated && git.droppedProgram(name, came)) absent.set(name, { ...absence, stated: true });
    }
  }

  function look(): Promise<void> {
    return exclusive(lookNow).catch((error: unknown) => {
      onWarning({ error: messageOf(error) }, 'the registry could not be looked at');
      schedule(LOOK_MS);
    });
  }

  const ignored = [join(root, '.git'), paths.status, paths.data];
  const watch: Watch = watchFiles(root, ignored, clock, (changed) => {
    const others = new Set(
      [...changed].filter((path) => path !== 'programs' && !path.startsWith('programs/')),
    );
    notify([], others);
    if (others.size > 0) git?.touch();
    if (git !== undefined || others.size < changed.size || changed.has('')) void look();
  });

  /** Takes in what was just written, and tells of it. */
  async function written(name: string, text: string): Promise<ManifestEntry> {
    keys.set(name, await files.key(name));
    absent.delete(name);
    const entry = entryOf(name, text);
    keep(entry);
    notify([name]);
    return entry;
  }

  function writeNew(name: string, text: string): Promise<FileEdit> {
    if (!NAME_PATTERN.test(name)) throw new AppError('BadRequest', `${name} is not a valid program name`);
    const clash = entries.has(name) ? name : clashOf(name);
    if (clash !== undefined) throw new AppError('Conflict', `${labelOf(clash)} exists already`);
    return files.create(name, text);
  }

  /**
   * Makes an edit of a manifest and, in a git work tree, its commit, as one: a look sees neither or both. Sources
   * that the manifest begins to name go into the commit, those that nothing names any more go with it.
   */
  function edit<T>(
    name: string,
    intent: Intent | undefined,
    write: () => Promise<FileEdit>,
    tell: (text: string) => Promise<T>,
  ): Promise<T> {
    if (git === undefined) return exclusive(async () => tell((await write()).text ?? ''));
    const said = intent ?? { author: status.get(name)?.userId ?? '', message: `edit ${name}` };
    return git.record(said, labelOf(name), (commit) =>
      exclusive(async () => {
        const before = contextOf(entries.get(name)?.program);
        const made = await write();
        const after = made.text === undefined ? undefined : contextOf(parse(name, made.text).program);
        const moved = before === after ? undefined : await sources.release(name, before);
        const change = together(made, moved);
        try {
          await commit([
            labelOf(name),
            ...sources.named(before === after ? undefined : after),
            ...(moved?.paths ?? []),
          ]);
        } catch (error) {
          await change.undo();
          throw error;
        }
        const result = await tell(made.text ?? '');
        await change.done();
        return result;
      }),
    );
  }

  const mentions = (name: string, folder: string) =>
    [...entries.values()].some((entry) => entry.name !== name && entry.text.includes(folder)) ||
    status.names().some((other) => {
      const context = status.get(other)?.memory.inForce?.spec.build?.context ?? '';
      return other !== name && context.startsWith(folder);
    });

  const sources = createSourcesKeeper({
    root,
    aside: paths.trash,
    isClean: async (folder) => (await git?.isClean(folder)) === true,
    mentions,
  });

  await look();
  git?.start(() => void look());
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
    health: () => ({ ...health, warnings: git?.warnings() ?? [] }),
    parse,
    look,
    wanted(name) {
      const entry = entries.get(name);
      if (entry !== undefined) return { kind: 'present', entry };
      const absence = absent.get(name);
      if (absence?.stated) return { kind: 'gone' };
      if (absence === undefined || health.message !== '' || health.paused.includes(name))
        return { kind: 'unknown' };
      // In the middle of a rebase a file may be gone and come back with the next step.
      if ((git?.operation() ?? '') !== '') return { kind: 'unknown' };
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
    create: (name, text, intent) =>
      edit(
        name,
        intent,
        () => writeNew(name, text),
        (now) => written(name, now),
      ),
    createFromSources: (name, { userId, buildId, files: brought }, intent) =>
      edit(
        name,
        intent,
        async () => {
          const { context, isNew } = await writeSources(root, buildId, brought);
          const folder = { undo: () => removeFolder(root, context), done: async () => undefined };
          try {
            const manifest = await writeNew(name, newManifest(name, userId, context));
            return { ...together(manifest, isNew ? folder : undefined), text: manifest.text };
          } catch (error) {
            if (isNew) await folder.undo();
            throw error;
          }
        },
        (now) => written(name, now),
      ),
    replace: (name, text, etag, intent) =>
      edit(
        name,
        intent,
        () =>
          files.rewrite(name, (current) => {
            if (etagOf(current) === etag) return text;
            throw new AppError('PreconditionFailed', `${labelOf(name)} was changed since you read it`, {
              hint: 'Get the manifest again, repeat your edit on it and send it with its new ETag as If-Match.',
            });
          }),
        (now) => written(name, now),
      ),
    editSpec: (name, fields, intent) => editValid(name, intent, (text) => editManifest(text, fields)),
    replaceSpec: (name, spec, intent) => editValid(name, intent, (text) => replaceSpec(text, spec)),
    remove: (name, intent) =>
      edit(
        name,
        intent,
        () => {
          const known = entries.has(name) || absent.get(name)?.stated === false;
          if (!known) throw notFound(name);
          return files.discard(name);
        },
        async () => {
          drop(name);
          absent.set(name, { sinceMs: clock.monotonic(), stated: true });
          health = { ...health, paused: pausedNames() };
          notify([name]);
        },
      ),
    mustBeEditable: () => git?.mustBeEditable(),
    commitOf: (name, context) => git?.commitOf(name, context) ?? '',
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
    trashSources: (folder) =>
      exclusive(async () => {
        if (sources.named(folder)[0] !== folder || mentions('', folder)) return false;
        if (git !== undefined && !(await git.ignores(folder))) return false;
        await rename(join(root, folder), join(paths.trash, `${basename(folder)}.${clock.now()}.sources`));
        return true;
      }),
    async close() {
      closed = true;
      cancelLook?.();
      await git?.close();
      await watch.close();
      await tail;
    },
  };

  function editValid(
    name: string,
    intent: Intent | undefined,
    change: (text: string) => string,
  ): Promise<ManifestEntry> {
    return edit(
      name,
      intent,
      () =>
        files.rewrite(name, (current) => {
          const { problems } = parse(name, current);
          if (problems.length === 0) return change(current);
          throw new AppError('Conflict', `${problems.map(describeProblem)[0]}`, {
            hint: 'The manifest has to be valid before it can be edited by a call: mend the file, or PUT a new one.',
            details: problems,
          });
        }),
      (now) => written(name, now),
    );
  }

  function caseProblem(name: string, clash: string): Problem {
    const message = `metadata.name differs from ${clash} by case only: choose another name`;
    return { file: labelOf(name), path: 'metadata.name', message };
  }
}

function contextOf(program: Program | undefined): string | undefined {
  const context = (program?.rawSpec.build as { context?: unknown } | undefined)?.context;
  return typeof context === 'string' ? context : undefined;
}

/** Strong ETag of a text, without the quotes: 32 hex digits of its sha256. */
export function etagOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
