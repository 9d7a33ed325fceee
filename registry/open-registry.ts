import { join } from 'node:path';
import { AppError, messageOf } from '../schemas/errors.ts';
import { createAbsences } from './absences.ts';
import { openBuildLogs } from './build-logs.ts';
import { openContexts } from './context.ts';
import { openEventStore } from './event-store.ts';
import { programOf } from './git-state.ts';
import { createSourcesKeeper, sourcesFolderOf } from './kept-sources.ts';
import { createListeners } from './listeners.ts';
import { parseManifest } from './manifest.ts';
import { createManifestEdits } from './manifest-edits.ts';
import { createManifestFiles, labelOf } from './manifest-files.ts';
import { createManifestSet } from './manifest-set.ts';
import { createOwnFolders } from './own-folders.ts';
import { prepareRegistry, registryPaths } from './paths.ts';
import { pauseEvery } from './pause.ts';
import type { Registry, RegistryChange, RegistryOptions } from './registry.ts';
import { openRevisionStore } from './revision-store.ts';
import { type Scan, scanPrograms } from './scan.ts';
import { createSerial } from './serial.ts';
import { SETTLE_MS } from './settle.ts';
import { openStatusStore } from './status-store.ts';
import { openTrash } from './trash.ts';
import { type Watch, watchRegistry } from './watch.ts';

/** Files are looked at this often under the events (design: numbers). */
const LOOK_MS = 10_000;
/** More changed paths than this are told by the folders of the root that they lie in. */
const UNTOLD_MAX = 10_000;
/** Nothing else waits longer than this for manifests that are read. */
const ABSORB_MS_MAX = 20;

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
  const absences = createAbsences(status, () => clock.monotonic());
  /** Names whose manifest is about to be written. */
  const announced = new Set<string>();
  const listeners = createListeners<RegistryChange>(onListenerError);
  const exclusive = createSerial();
  let scanned = false;
  /** Why the last look was not complete, or `""`. */
  let trouble = 'programs/ was not read yet';
  let misnamed = '';
  /** Why the remote was not followed at the last look. */
  let remoteBefore = '';
  let cancelLook: (() => void) | undefined;
  /** Changed paths that nobody was told of yet, in a git work tree: manifests come first. */
  let untold = new Set<string>();
  /** A look that was asked for and has not begun. */
  let pending: Promise<void> | undefined;
  let closed = false;

  const notify = (names: readonly string[], changed: ReadonlySet<string> = new Set()) => {
    if (names.length > 0 || changed.size > 0) listeners.tell({ names, paths: changed });
  };

  /** Takes in what a look found, a while at a time: thousands of manifests take seconds. Gives the names that changed. */
  async function absorb(scan: Scan): Promise<Set<string>> {
    const changed = new Set<string>();
    const pause = pauseEvery(ABSORB_MS_MAX);
    // Of names that differ by case only the one counts that did so before, for a host that starts as well.
    const wasInForce = ({ name }: { name: string }) => status.get(name)?.memory.inForce !== undefined;
    const files = [...scan.files].sort((a, b) => Number(wasInForce(b)) - Number(wasInForce(a)));
    for (const { name, text, key, unreadable } of files) {
      const isNew = manifests.get(name) === undefined;
      if (absences.back(name)) changed.add(name);
      if (text !== undefined && manifests.take(name, text, key)) changed.add(name);
      if (unreadable !== undefined && manifests.takeUnreadable(name, unreadable, key)) changed.add(name);
      if (isNew && trash.has(name)) await trash.supersede(name);
      await pause();
    }
    const present = new Set(scan.files.map(({ name }) => name));
    const gone = [...manifests.names(), ...status.names()].filter(
      (name) => !present.has(name) && !absences.has(name) && !announced.has(name),
    );
    absences.miss(gone);
    for (const name of gone) {
      if (manifests.drop(name)) soon();
      changed.add(name);
    }
    return changed;
  }

  async function lookNow(): Promise<void> {
    pending = undefined;
    if (closed) return;
    cancelLook?.();
    const began = await git?.stand();
    if (began !== undefined && began.waitMs > 0) return lookLater(began.waitMs, began.inProgress);
    await watch.refresh();
    const scan = await scanPrograms(paths.programs, manifests.keys, clock.now());
    if (!scan.complete) return lookLater(LOOK_MS, scan.message);
    const isOther =
      scan.files.length !== manifests.size() ||
      scan.files.some(({ name, text }) => text !== undefined && text !== manifests.get(name)?.text);
    if (isOther) git?.touch();
    // Before the files count, so that nobody sees a program without the commit it came with.
    for (const path of (await git?.refresh()) ?? []) noteUntold(path);
    const ended = await git?.stand(began);
    if (ended !== undefined && ended.waitMs > 0) return lookLater(ended.waitMs, ended.inProgress);
    wantsAgain = false;
    const changed = await absorb(scan);
    const before = absences.paused();
    believe();
    scanned = true;
    trouble = '';
    warnOf(scan, before);
    const ownMs = await own.look();
    await events.writeLeft();
    const waits = [LOOK_MS, scan.againMs, absences.settlesInMs(), ownMs, wantsAgain ? SETTLE_MS : 0];
    schedule(Math.min(...waits.filter((ms) => ms > 0)));
    const remote = git?.remoteTrouble()?.message ?? '';
    const isOtherRemote = remote !== remoteBefore;
    remoteBefore = remote;
    const all = isOtherRemote ? [...manifests.names()] : [];
    const committed = [...untold].flatMap((path) => programOf(path) ?? []);
    const sources = new Set([...untold].filter((path) => programOf(path) === undefined));
    // A manifest that is still being written may be the one that belongs with them.
    const isWhole = scan.againMs === 0;
    untold = isWhole ? new Set() : sources;
    if (isWhole && ended !== undefined) git?.looked(ended);
    // Names whose absence becomes believed later are told of again, since nothing else would.
    const names = new Set([...changed, ...absences.names(), ...committed, ...all]);
    notify([...names], isWhole ? sources : undefined);
  }

  /** What lies there now says nothing: all goes on as it was known. */
  function lookLater(ms: number, why: string): void {
    if (why !== '' && why !== trouble) {
      onWarning({ folder: paths.programs }, why);
      trouble = why;
    }
    // A host that starts shows what it has all the same.
    if (!scanned) absences.miss(status.names());
    schedule(ms);
  }

  function noteUntold(path: string): void {
    untold.add(path);
    if (untold.size > UNTOLD_MAX) untold = new Set([...untold].map((one) => one.split('/')[0] ?? one));
  }

  /** Of what is missing: what was stated to be gone, by a call or a commit, and what has been missing for long. */
  function believe(): void {
    for (const name of absences.unstated()) {
      const came = status.get(name)?.observedRevision ?? '';
      const dropped = git !== undefined && git.operation() === '' && git.droppedProgram(name, came);
      if (dropped || trash.has(name)) absences.state(name);
    }
    absences.settle();
  }

  function warnOf(scan: Scan, pausedBefore: readonly string[]): void {
    const missing = absences.paused();
    if (missing.length > 0 && missing.length !== pausedBefore.length) {
      onWarning({ missing }, 'most manifests are gone: nothing is removed until that is confirmed');
    }
    const names = scan.misnamed.join(', ');
    if (names !== '' && names !== misnamed) {
      const hint =
        'a manifest is called <name>.yaml, and the name is made of letters, digits, ".", "_" and "-"';
      onWarning({ files: scan.misnamed, hint }, 'files in programs/ are not read because of their names');
    }
    misnamed = names;
  }

  let wantsAgain = false;
  function soon(): void {
    wantsAgain = true;
  }

  function schedule(ms: number): void {
    if (closed) return;
    cancelLook?.();
    cancelLook = clock.after(ms, () => void look());
  }

  function look(): Promise<void> {
    // Hints come faster than looks when much changes; one that has not begun yet sees it all.
    pending ??= exclusive(lookNow).catch((error: unknown) => {
      onWarning({ error: messageOf(error) }, 'the registry could not be looked at');
      schedule(LOOK_MS);
    });
    return pending;
  }

  const onHint = (changed: ReadonlySet<string>) => {
    const others = [...changed].filter(
      (path) => !['', 'programs', 'status', 'data'].includes(path) && !path.startsWith('programs/'),
    );
    if (git === undefined) notify([], new Set(others));
    else for (const path of others) noteUntold(path);
    if (others.length > 0) git?.touch();
    if (git !== undefined || others.length < changed.size) void look();
  };
  const ignored = [join(root, '.git'), paths.status, paths.data];
  const watch: Watch = watchFiles(root, ignored, clock, onHint, (error) =>
    onWarning({ error }, 'not every folder can be watched: changes there are found by looking, every 10 s'),
  );

  const mentions = (name: string, folder: string) =>
    manifests.list().some((entry) => entry.name !== name && entry.text.includes(folder)) ||
    status.names().some((other) => {
      const context = status.get(other)?.memory.inForce?.spec.build?.context ?? '';
      return other !== name && context.startsWith(folder);
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
    ...{ root, git, manifests, exclusive, parse, sources },
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
      if (manifests.drop(name)) schedule(SETTLE_MS);
      absences.state(name);
      notify([name]);
    },
  });

  await look();
  git?.start(() => void look());

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
        await look.catch(() => undefined);
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
      ...{ scanned, message: trouble, paused: absences.paused() },
      warnings: [...(git?.warnings() ?? []), ...own.warnings()],
    }),
    parse,
    look,
    wanted(name) {
      const entry = manifests.get(name);
      if (entry !== undefined) return { kind: 'present', entry };
      if (absences.isStated(name)) return { kind: 'gone' };
      // In the middle of a rebase a file may be gone and come back with the next step.
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
    authorOf: async (commit) => (commit === '' ? '' : ((await git?.authorOf(commit)) ?? '')),
    confirmPrune() {
      if (trouble !== '') {
        throw new AppError('RegistryUnavailable', `${trouble}; nothing can be pruned while that is so`);
      }
      const names = [...absences.paused()];
      for (const name of names) absences.state(name);
      // So that the wish is known, should the host end before all of them are gone.
      void exclusive(async () => {
        for (const name of names) if (absences.isStated(name)) await trash.note(name);
      }).catch(onWriteError);
      notify(names);
      return names;
    },
    trashVolume: (...volume) => suspecting(trash.noteVolume(...volume)),
    trashSources: (folder) =>
      exclusive(async () => {
        if (sourcesFolderOf(folder) !== folder || mentions('', folder)) return false;
        if (git !== undefined && !(await git.ignores(folder))) return false;
        await trash.discardSources(join(root, folder));
        return true;
      }),
    async close() {
      closed = true;
      cancelLook?.();
      await git?.close();
      await watch.close();
      await exclusive.idle();
    },
  };
}
