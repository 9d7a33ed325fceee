import { join } from 'node:path';
import { AppError, messageOf } from '../schemas/errors.ts';
import { openContexts } from './contexts/contexts.ts';
import { createListeners } from './files/listeners.ts';
import { createSerial } from './files/serial.ts';
import { SETTLE_MS } from './files/settle.ts';
import { createSourcesKeeper } from './git/kept-sources.ts';
import { SourcesHeld } from './git/sources-held.ts';
import { createAbsences } from './looks/absences.ts';
import { createLooks } from './looks/looks.ts';
import { openUnconfirmed } from './looks/unconfirmed.ts';
import { type Watch, watchRegistry } from './looks/watch.ts';
import { createManifestEdits } from './manifests/edits.ts';
import { createManifestFiles } from './manifests/files.ts';
import { parseManifest } from './manifests/manifest.ts';
import { troubleOf } from './manifests/programs-folder.ts';
import { createManifestSet } from './manifests/set.ts';
import { labelOf, prepareRegistry, registryPaths, sourcesFolderOf } from './paths.ts';
import { openBuildLogs } from './records/build-logs.ts';
import { openEventStore } from './records/event-store.ts';
import { createOwnFolders } from './records/own-folders.ts';
import { openRevisionStore } from './records/revision-store.ts';
import { openStatusStore } from './records/status-store.ts';
import { openTrash } from './records/trash.ts';
import type { Registry, RegistryChange, RegistryOptions } from './registry.ts';

/** Makes, reads and watches a registry. Rejects `RegistryUnavailable`. */
export async function openRegistry({
  root,
  git,
  warnings = [],
  policy,
  clock,
  onWarning,
  watchFiles = watchRegistry,
}: RegistryOptions): Promise<Registry> {
  const paths = registryPaths(root);
  await prepareRegistry(paths);
  const onWriteError = (error: unknown) => {
    own.suspect();
    onWarning({ error: messageOf(error) }, 'a file of data/ can not be written');
  };
  const onListenerError = (error: unknown) =>
    onWarning({ error: messageOf(error) }, 'a bug: a listener of the registry failed');
  const status = await openStatusStore(paths.status, onListenerError);
  const own = createOwnFolders(paths, status, () => clock.monotonic(), onWarning);
  const events = openEventStore(paths.events, onWriteError);
  const trash = await openTrash(paths.trash, () => clock.now());
  const parse = (name: string, text: string) => parseManifest(text, labelOf(name), name, policy);
  const manifests = createManifestSet(parse, labelOf);
  const unconfirmed = await openUnconfirmed(paths.data, onWriteError);
  const absences = createAbsences(status, () => clock.monotonic(), unconfirmed.names);
  /** Names whose manifest is about to be written. */
  const announced = new Set<string>();
  const listeners = createListeners<RegistryChange>(onListenerError);
  const exclusive = createSerial();

  const notify = (names: readonly string[], changed: ReadonlySet<string> = new Set()) => {
    if (names.length > 0 || changed.size > 0) listeners.tell({ names, paths: changed });
  };

  const looks = createLooks({
    ...{ paths, git, manifests, absences, status, trash, own, events, announced },
    ...{ exclusive, clock, onWarning, notify, watch: () => watch },
    keepDoubted: unconfirmed.keep,
  });
  const ignored = [join(root, '.git'), paths.status, paths.data];
  const watch: Watch = watchFiles(root, ignored, clock, looks.hint, (error) =>
    onWarning({ error }, 'not every folder can be watched: changes there are found by looking, every 10 s'),
  );

  const lastContextOf = (name: string) => status.get(name)?.memory.inForce?.spec.build?.context;
  const mentions = (names: readonly string[], folder: string) =>
    manifests.list().some((entry) => !names.includes(entry.name) && entry.text.includes(folder)) ||
    status.names().some((other) => {
      // The ledger of one whose deletion was asked for stays until its container is gone; it needs no sources any more.
      if (names.includes(other) || absences.isStated(other)) return false;
      return lastContextOf(other)?.startsWith(folder) === true;
    });
  const isClean = async (folder: string) => (await git?.isClean(folder)) === true;
  const sources = createSourcesKeeper({ root, aside: paths.trash, isClean, mentions });

  /** What fails in `data/` may be the disk's doing. */
  const suspecting = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      own.suspect();
      throw error;
    });
  const revisions = openRevisionStore(paths.revisions);
  const contexts = openContexts(root, paths.contexts, () => clock.now());
  const edits = createManifestEdits({
    ...{ root, git, manifests, exclusive, parse, sources, lastContextOf },
    files: createManifestFiles(paths.programs, trash),
    ownerOf: (name) => status.get(name)?.userId ?? '',
    isMissing: (name) => absences.has(name) && !absences.isStated(name),
    async written(name, text, asked) {
      absences.back(name);
      // Read again at the next look: what lies there by then may be somebody else's.
      manifests.take(name, text, undefined);
      if (trash.has(name)) await trash.supersede(name);
      const entry = manifests.get(name);
      if (entry === undefined) throw new Error(`${name} was written and is not known`);
      if (entry.program === undefined && asked !== undefined) entry.asked = { ...entry.asked, ...asked };
      notify([name]);
      return entry;
    },
    removed(name) {
      if (manifests.drop(name)) looks.schedule(SETTLE_MS);
      absences.state(name);
      notify([name]);
    },
  });

  await looks.look();
  git?.start(() => void looks.look());

  return {
    paths,
    status,
    events,
    revisions: { ...revisions, put: (name, revision) => suspecting(revisions.put(name, revision)) },
    buildLogs: openBuildLogs(paths.builds, onWriteError),
    contexts: {
      ...contexts,
      async look(build) {
        await sources.settled(build.context);
        const look = contexts.look(build);
        const trouble = await look.then(
          () => '',
          () => troubleOf(paths.programs),
        );
        // Where the registry is away, that the sources are is no news about them.
        if (trouble !== '') throw new SourcesHeld(trouble, true, 0);
        // Asked afterwards, since git may have begun meanwhile. What it left half done is no failure either.
        const held = await git?.held();
        if (held !== undefined) throw held;
        return look;
      },
      async snapshot(build, hash) {
        try {
          return await suspecting(contexts.snapshot(build, hash));
        } catch (error) {
          const held = await git?.held();
          throw held?.lasts === true ? held : error;
        }
      },
    },
    list: manifests.list,
    get: manifests.get,
    missing: () => absences.unstated().filter((name) => status.get(name) !== undefined),
    clashOf: manifests.clashOf,
    health: () => ({
      ...{ scanned: looks.scanned(), message: looks.trouble(), paused: absences.paused() },
      warnings: [...warnings, ...(git?.warnings() ?? []), ...own.warnings()],
    }),
    parse,
    look: looks.look,
    wanted(name) {
      const entry = manifests.get(name);
      if (entry !== undefined) return { kind: 'present', entry };
      if (absences.isStated(name)) return { kind: 'gone' };
      // In the middle of a rebase a file may be gone and come back with the next step.
      const trouble = looks.trouble();
      const isSound = trouble === '' && (git?.operation() ?? '') === '';
      if (isSound && absences.isGone(name)) return { kind: 'gone' };
      return trouble === '' ? { kind: 'unknown' } : { kind: 'unknown', why: trouble };
    },
    subscribe: listeners.add,
    announce(name) {
      announced.add(name);
      return () => announced.delete(name);
    },
    ...edits,
    mustBeEditable: () => git?.mustBeEditable(),
    remoteTrouble: () => git?.remoteTrouble(),
    commitOf: (name, context) => git?.commitOf(name, context) ?? '',
    async lastChange(name, context, commit) {
      const paths = [labelOf(name), ...(context === undefined ? [] : [context])];
      const change = commit === '' ? undefined : await git?.lastChange(commit, paths);
      return change ?? { commit, author: '' };
    },
    async droppedBy(name, came) {
      if (git === undefined || came === '' || git.hasProgram(name)) return '';
      return (await git.lastChange(`${came}..HEAD`, [labelOf(name)]))?.commit ?? '';
    },
    async confirmPrune(intentOf) {
      // What came back meanwhile is not meant.
      await looks.look();
      const names = absences.paused();
      const trouble = looks.trouble();
      if (trouble !== '') {
        const reason = (git?.operation() ?? '') === '' ? 'RegistryUnavailable' : 'Conflict';
        throw new AppError(reason, `${trouble}; nothing can be pruned while that is so`);
      }
      if (names.length > 0) await edits.removeMissing(names, intentOf?.(names));
      return names;
    },
    trashVolume: (...volume) => suspecting(trash.noteVolume(...volume)),
    trashSources: (folder) =>
      exclusive(async () => {
        if (sourcesFolderOf(folder) !== folder || mentions([], folder)) return false;
        if (git !== undefined && !(await git.ignores(folder))) return false;
        await trash.discardSources(join(root, folder));
        return true;
      }),
    async close() {
      looks.close();
      await git?.close();
      await watch.close();
      await exclusive.idle();
    },
  };
}
