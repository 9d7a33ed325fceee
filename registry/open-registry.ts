import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError, describeProblem, messageOf } from '../schemas/errors.ts';
import { NAME_PATTERN, type Program } from '../schemas/program.ts';
import { ABSENT_MS, createAbsences } from './absences.ts';
import { writeAtomic } from './atomic-write.ts';
import { openBuildLogs } from './build-logs.ts';
import { openContexts } from './context.ts';
import { editManifest, replaceSpec } from './edit-manifest.ts';
import { openEventStore } from './event-store.ts';
import type { Intent } from './git-lock.ts';
import { programOf } from './git-state.ts';
import { createSourcesKeeper, removeFolder, together } from './kept-sources.ts';
import { newManifest, parseManifest } from './manifest.ts';
import { createManifestFiles, type FileEdit, labelOf, notFound } from './manifest-files.ts';
import { createManifestSet, etagOf } from './manifest-set.ts';
import { prepareRegistry, registryPaths } from './paths.ts';
import type { ManifestEntry, Registry, RegistryChange, RegistryHealth, RegistryOptions } from './registry.ts';
import { openRevisionStore } from './revision-store.ts';
import { type Scan, scanPrograms } from './scan.ts';
import { writeSources } from './sources.ts';
import { openStatusStore } from './status-store.ts';
import { type Watch, watchRegistry } from './watch.ts';

/** Files are looked at this often under the events (design: numbers). */
const LOOK_MS = 10_000;

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
  const manifests = createManifestSet(parse);
  const absences = createAbsences(status, paths.trash, git, clock);

  /** Takes in what a look found. Gives the names that changed. */
  function absorb(scan: Scan): string[] {
    const changed = new Set<string>();
    const present = new Set(scan.files.map(({ name }) => name));
    for (const file of scan.files) {
      if (absences.delete(file.name)) changed.add(file.name);
      if (manifests.take(file)) changed.add(file.name);
    }
    for (const name of [...manifests.names(), ...status.names()]) {
      if (present.has(name) || absences.has(name) || announced.has(name)) continue;
      absences.add(name, false);
      manifests.drop(name);
      changed.add(name);
    }
    return [...changed];
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
    const scan = await scanPrograms(paths.programs, manifests.keys, clock.now());
    if (!scan.complete) {
      if (health.message !== scan.message) onWarning({ folder: paths.programs }, scan.message);
      health = { ...health, message: scan.message };
      schedule(LOOK_MS);
      return;
    }
    if (scan.files.length !== manifests.size || scan.files.some(({ text }) => text !== undefined))
      git?.touch();
    // Before the files count, so that nobody sees a program without the commit it came with.
    const moved = (await git?.refresh()) ?? new Set<string>();
    const changed = absorb(scan);
    await absences.believe();
    const before = health.paused;
    health = { scanned: true, message: '', paused: absences.paused() };
    if (health.paused.length > 0 && before.length !== health.paused.length) {
      onWarning(
        { missing: health.paused },
        'most manifests are gone: nothing is removed until that is confirmed',
      );
    }
    // Names whose absence becomes believed later are told of again, since nothing else would.
    const believed = absences.names().filter((name) => !changed.includes(name));
    schedule(Math.min(LOOK_MS, scan.againMs || LOOK_MS, absences.areSettling() ? ABSENT_MS : LOOK_MS));
    const committed = [...moved].flatMap((path) => programOf(path) ?? []);
    const others = [...moved].filter((path) => programOf(path) === undefined);
    notify([...new Set([...changed, ...believed, ...committed])], new Set(others));
  }

  function schedule(ms: number): void {
    if (closed) return;
    cancelLook?.();
    cancelLook = clock.after(ms, () => void look());
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
    const entry = manifests.put(name, text, await files.key(name));
    absences.delete(name);
    notify([name]);
    return entry;
  }

  function writeNew(name: string, text: string): Promise<FileEdit> {
    if (!NAME_PATTERN.test(name)) throw new AppError('BadRequest', `${name} is not a valid program name`);
    const clash = manifests.has(name) ? name : manifests.clashOf(name);
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
        const before = contextOf(manifests.get(name)?.program);
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
    manifests.entries().some((entry) => entry.name !== name && entry.text.includes(folder)) ||
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
    list: () => manifests.entries().sort((a, b) => (a.name < b.name ? -1 : 1)),
    get: (name) => manifests.get(name),
    missing: () => absences.unstated(),
    health: () => ({ ...health, warnings: git?.warnings() ?? [] }),
    parse,
    look,
    wanted(name) {
      const entry = manifests.get(name);
      if (entry !== undefined) return { kind: 'present', entry };
      const absence = absences.of(name);
      if (absence === 'stated') return { kind: 'gone' };
      if (absence !== 'settled' || health.message !== '' || health.paused.includes(name))
        return { kind: 'unknown' };
      // In the middle of a rebase a file may be gone and come back with the next step.
      return (git?.operation() ?? '') === '' ? { kind: 'gone' } : { kind: 'unknown' };
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
          const isMissing = absences.has(name) && absences.of(name) !== 'stated';
          if (!manifests.has(name) && !isMissing) throw notFound(name);
          return files.discard(name);
        },
        async () => {
          manifests.drop(name);
          absences.add(name, true);
          health = { ...health, paused: absences.paused() };
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
      for (const name of names) absences.add(name, true);
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
}

function contextOf(program: Program | undefined): string | undefined {
  const context = (program?.rawSpec.build as { context?: unknown } | undefined)?.context;
  return typeof context === 'string' ? context : undefined;
}
