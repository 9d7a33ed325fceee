import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import type { Share } from '../files/sharing.ts';
import type { Recalled } from '../index/read-index.ts';
import type { RegistryPaths } from '../paths.ts';
import { type BuildHistory, openBuildHistory } from './build-history.ts';
import { type BuildLogs, openBuildLogs } from './build-logs.ts';
import { type EventStore, openEventStore } from './event-store.ts';
import { createOwnFolders, type OwnFolders } from './own-folders.ts';
import { openRevisionStore, type RevisionStore } from './revision-store.ts';
import { openStatusStore, type StatusStore } from './status-store.ts';
import { openTrash, type Trash } from './trash.ts';
import { openTrashedVolumes, type VolumesOfGone } from './trashed-volumes.ts';
import { openUsageStore, type UsageStore } from './usage-store.ts';

/** All that the host writes down of programs. */
export interface Records {
  status: StatusStore;
  events: EventStore;
  revisions: RevisionStore;
  buildLogs: BuildLogs;
  buildHistory: BuildHistory;
  usage: UsageStore;
  trash: Trash;
  /** Volumes of programs that are gone. */
  volumes: VolumesOfGone;
  /** Where all of it lies. */
  own: OwnFolders;
  /** Told of a file of `data/` that can not be written. */
  onWriteError: (error: unknown) => void;
  /** For work in `data/` whose failure is told by others: it may be the disk's doing. */
  suspecting<T>(work: Promise<T>): Promise<T>;
}

/**
 * Opens what lies in `status/` and `data/`. Rejects as `openStatusStore` does.
 * @param onListenerError told what a listener threw
 * @param links see `createOwnFolders`
 * @param known see `StatusStoreOptions`
 */
export async function openRecords(
  paths: RegistryPaths,
  clock: Clock,
  onWarning: (fields: object, message: string) => void,
  onListenerError: (error: unknown) => void,
  links: () => Promise<string[]>,
  known: { recalled?: ReadonlyMap<string, Recalled>; share?: Share } = {},
): Promise<Records> {
  const status = await openStatusStore(paths.status, { ...known, onListenerError });
  const own = createOwnFolders(paths, status, () => clock.monotonic(), onWarning, links);
  const onWriteError = (error: unknown) => {
    own.suspect();
    onWarning({ error: messageOf(error) }, 'a file of data/ can not be written');
  };
  const suspecting = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      own.suspect();
      throw error;
    });
  const revisions = openRevisionStore(paths.revisions);
  const trash = await openTrash(paths.trash, () => clock.now());
  const volumes = openTrashedVolumes(paths.trash, () => clock.now(), status);
  return {
    ...{ status, own, onWriteError, suspecting },
    events: openEventStore(paths.events, onWriteError),
    revisions: { ...revisions, put: (name, revision) => suspecting(revisions.put(name, revision)) },
    buildLogs: openBuildLogs(paths.builds, onWriteError),
    buildHistory: openBuildHistory(paths.builds, paths.buildHistory, onWriteError),
    usage: openUsageStore(paths.usage, onWarning, onWriteError),
    trash,
    volumes: {
      trashedVolumes: volumes.list,
      trashVolume: (of) => suspecting(volumes.note(of)),
      claimVolume: (claim) => suspecting(volumes.claim(claim)),
    },
  };
}
