import { join } from 'node:path';
import { messageOf } from '../schemas/errors.ts';
import { createSerial } from '../schemas/serial.ts';
import { createCommits } from './commits.ts';
import { openContexts } from './contexts/contexts.ts';
import { createListeners } from './files/listeners.ts';
import { SETTLE_MS } from './files/settle.ts';
import { createCommittedLinks } from './git/committed-links.ts';
import { createSourcesKeeper } from './git/kept-sources.ts';
import { linksOf, refuseLinkedOwnFolders } from './git/linked-own-folders.ts';
import { holdContexts } from './held-contexts.ts';
import { openKeptIndex } from './kept-index.ts';
import { type Absences, createAbsences } from './looks/absences.ts';
import { createLooks, type Looks } from './looks/looks.ts';
import { openUnconfirmed } from './looks/unconfirmed.ts';
import { type Watch, watchRegistry } from './looks/watch.ts';
import { createManifestEdits, type ManifestEditsOptions } from './manifests/edits.ts';
import { createManifestFiles } from './manifests/files.ts';
import { createManifestSet, type ManifestSet } from './manifests/set.ts';
import { labelOf, prepareRegistry, type RegistryPaths, registryPaths, sourcesFolderOf } from './paths.ts';
import { openPauses } from './records/pauses.ts';
import { openRecords, type Records } from './records/records.ts';
import type { Registry, RegistryChange, RegistryOptions } from './registry.ts';
import { createWishes } from './wishes.ts';

const LISTENER_FAILED = 'a bug: a listener of the registry failed';

/** Makes, reads and watches a registry. Rejects `RegistryUnavailable`. */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const { root, git, warnings = [], clock, onWarning, watchFiles = watchRegistry } = options;
  const links = createCommittedLinks(root, git);
  const paths = await prepare(root, git !== undefined);
  const onListenerError = (error: unknown) => onWarning({ error: messageOf(error) }, LISTENER_FAILED);
  const kept = await openKeptIndex(paths, options);
  const records = await openRecords(paths, clock, onWarning, onListenerError, linksOf(root, git), kept);
  const { status, events, trash, suspecting, revisions, buildLogs, buildHistory, usage } = records;
  const { parse, recall } = kept;
  const manifests = createManifestSet(parse, labelOf);
  const unconfirmed = await openUnconfirmed(paths.data, records.onWriteError);
  const absences = createAbsences(status, () => clock.monotonic(), manifests.movedTo, unconfirmed.names);
  const announced = new Set<string>();
  const listeners = createListeners<RegistryChange>(onListenerError);
  const exclusive = createSerial();
  const notify = (names: readonly string[], changed: ReadonlySet<string> = new Set()) => {
    if (names.length > 0 || changed.size > 0) listeners.tell({ names, paths: changed });
  };

  const looks = createLooks({
    ...{ paths, git, links, manifests, absences, status, trash, own: records.own, events, announced },
    ...{ exclusive, clock, onWarning, notify, recall, watch: () => watch },
    keepDoubted: unconfirmed.keep,
  });
  const ignored = [join(root, '.git'), paths.status, paths.data];
  const watch: Watch = watchFiles(root, ignored, clock, looks.hint, (error) =>
    onWarning({ error }, 'not every folder can be watched: changes there are found by looking, every 10 s'),
  );
  const known = { manifests, status, absences, trash };
  const mentions = mentionedIn(known);
  const pauses = await openPauses(paths.data, clock, onPause(known, notify), suspecting);
  const sources = createSourcesKeeper({ root, aside: paths.trash, git, mentions });
  const contexts = openContexts(root, paths.contexts, () => clock.now(), links.mayLink);
  const edits = createManifestEdits({
    ...{ root, git, links, manifests, exclusive, parse, sources },
    files: createManifestFiles(paths.programs, trash, links),
    ...knownToEdits(known, looks, notify),
  });

  await looks.look();
  const keepIndex = kept.keep({ manifests, status }, looks.scanned());
  git?.start(() => void looks.look());

  return {
    ...{ paths, status, events, pauses, parse, usage, revisions, buildLogs, buildHistory },
    ...records.volumes,
    contexts: holdContexts(contexts, { git, sources, programs: paths.programs, suspecting }),
    ...{ list: manifests.list, get: manifests.get, clashOf: manifests.clashOf, look: looks.look },
    ...createWishes({ git, manifests, absences, looks, status, own: records.own, edits, warnings }),
    ...createCommits(git),
    ...edits,
    subscribe: listeners.add,
    announce(name) {
      announced.add(name);
      return () => announced.delete(name);
    },
    trashSources: (folder) => exclusive(() => discardSources(options, trash, folder, mentions)),
    async close() {
      looks.close();
      await git?.close();
      await watch.close();
      await exclusive.idle();
      await keepIndex();
    },
  };
}

/** See `Registry.trashSources`. */
async function discardSources(
  { root, git }: RegistryOptions,
  trash: Records['trash'],
  folder: string,
  mentions: ReturnType<typeof mentionedIn>,
): Promise<boolean> {
  if (sourcesFolderOf(folder) !== folder || mentions([], folder)) return false;
  if ((await git?.ignores(folder)) === false) return false;
  await trash.discardSources(join(root, folder));
  return true;
}

/** Makes what is missing, unless a commit says that the host's own folders are elsewhere. */
async function prepare(root: string, isInGit: boolean): Promise<RegistryPaths> {
  const paths = registryPaths(root);
  await refuseLinkedOwnFolders(root);
  await prepareRegistry(paths, isInGit);
  return paths;
}

/** What is known of programs: their manifests, their ledgers, and what is missing. */
interface Known extends Pick<Records, 'status' | 'trash'> {
  manifests: ManifestSet;
  absences: Absences;
}

/** What the last valid spec of a program is built from. */
function lastContextOf({ status }: Known, name: string): string | undefined {
  return status.get(name)?.memory.program.inForce?.spec.build?.context;
}

/** Whether any program but these may be built from that folder. */
function mentionedIn(known: Known): (names: readonly string[], folder: string) => boolean {
  const { manifests, status, absences } = known;
  return (names, folder) =>
    manifests.list().some((entry) => !names.includes(entry.name) && entry.text.includes(folder)) ||
    status.names().some((other) => {
      // The ledger of one whose deletion was asked for stays until its container is gone; it needs no sources any more.
      if (names.includes(other) || absences.isStated(other)) return false;
      return lastContextOf(known, other)?.startsWith(folder) === true;
    });
}

/** A pause, or its end, is told as a change of the programs that it holds. */
function onPause(
  { manifests, status }: Known,
  notify: (names: readonly string[]) => void,
): (name: string | undefined) => void {
  return (name) =>
    notify(
      name !== undefined
        ? [name]
        : [...new Set([...manifests.list().map((entry) => entry.name), ...status.names()])],
    );
}

/** What edits of the API ask of what is known, and how they become known, at once. */
function knownToEdits(
  known: Known,
  looks: Looks,
  notify: (names: readonly string[]) => void,
): Pick<ManifestEditsOptions, 'ownerOf' | 'isMissing' | 'lastContextOf' | 'written' | 'removed'> {
  const { manifests, status, absences, trash } = known;
  return {
    ownerOf: (name) => status.get(name)?.userId ?? '',
    isMissing: (name) => absences.has(name) && !absences.isStated(name),
    lastContextOf: (name) => lastContextOf(known, name),
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
  };
}
