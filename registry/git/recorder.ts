import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, elapse } from '../../schemas/clock.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { createSerial } from '../../schemas/serial.ts';
import { sourcesFolderOf } from '../paths.ts';
import { type CommitRequest, type Committed, commitPaths, GitBusy } from './commit.ts';
import type { GitHead } from './head.ts';
import { removeFolder } from './kept-sources.ts';
import type { LeftLocks } from './left-locks.ts';
import { type IndexLock, type Intent, isLeftBehind, type LockNote, lockIndex } from './lock.ts';
import type { GitRun } from './run.ts';

/** An edit waits this long for somebody else's lock on the index. */
const LOCKED_MS_MAX = 5_000;
/** Somebody else's lock on a reference is waited for in steps of this. */
const BUSY_AGAIN_MS = 100;
/** Commits of ours between two runs of git's own housekeeping. */
const COMMITS_PER_GC = 200;
const GC_MS_MAX = 600_000;

/** Edits as commits, one at a time, with the index locked. */
export interface Recorder {
  /**
   * Lets `edit` change files and commit them. What `edit` does before `commit` it must take back when `commit`
   * rejects. Should this host be killed meanwhile, the next start commits what is noted: so `edit` notes whatever
   * else than `path` it is about to change.
   * Rejects `RegistryUnavailable` (locked for too long) or `Conflict` (a merge is in progress, a hook refuses, the
   * registry follows a remote); in the first and third case `edit` is not called.
   * @param path the manifest
   */
  record<T>(
    intent: Intent,
    path: string,
    edit: (
      commit: (paths: readonly string[]) => Promise<void>,
      note: (what: Omit<LockNote, 'intent'>) => Promise<void>,
    ) => Promise<T>,
  ): Promise<T>;
  /** Finishes an edit that a kill cut off, where there is one. */
  finishLeft(): Promise<void>;
  /** Whether the lock on the index is ours at present. */
  hasLock(): boolean;
  /** Resolves when all edits have ended. */
  idle(): Promise<void>;
}

export interface RecorderOptions {
  root: string;
  gitDir: string;
  run: GitRun;
  clock: Clock;
  locks: LeftLocks;
  onWarning: (fields: object, message: string) => void;
  /** HEAD as it is now. */
  readHead: () => Promise<GitHead>;
  /** Takes in a commit that led from one HEAD to the other. */
  onCommit: (from: GitHead, to: GitHead, done: Committed) => Promise<void>;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { gitDir, run, clock, locks, onWarning, readHead } = options;
  const serial = createSerial();
  let hasLock = false;
  let commits = 0;

  async function withLock<T>(
    note: LockNote,
    deadlineMs: number,
    work: (lock: IndexLock) => Promise<T>,
  ): Promise<T> {
    const lock = await lockIndex(gitDir, note, clock, deadlineMs);
    hasLock = true;
    try {
      if (lock.left !== undefined) await finish(options, lock.left);
      return await work(lock);
    } finally {
      await lock.release();
      hasLock = false;
    }
  }

  async function taken(
    onCommit: RecorderOptions['onCommit'],
    parent: GitHead,
    done: Committed,
  ): Promise<void> {
    try {
      await onCommit(parent, await readHead(), done);
    } catch (error) {
      onWarning({ error: messageOf(error) }, 'a commit was made, and could not be taken in at once');
    }
  }

  async function commit(lock: IndexLock, intent: Intent, paths: readonly string[]): Promise<void> {
    await lock.note({ intent, paths });
    const deadlineMs = clock.monotonic() + LOCKED_MS_MAX;
    const parent = await readHead();
    const request = { ...options, intent, paths, onRecord: true };
    const done = await unlocked(locks, () => commitWhenFree(request, clock, deadlineMs));
    // The commit stands, whatever becomes of taking it in: the next look does that as well.
    await taken(options.onCommit, parent, done);
    if (++commits % COMMITS_PER_GC === 0) void run(['gc', '--auto', '--quiet'], { limitMs: GC_MS_MAX });
  }

  return {
    record(intent, path, edit) {
      const work = async (lock: IndexLock) => {
        const { operation } = await readHead();
        if (operation !== '') throw inProgress(operation);
        return edit(
          (paths) => commit(lock, intent, paths),
          (what) => lock.note({ intent, ...what }),
        );
      };
      // From now on, not from its turn: callers that queue behind a foreign lock do not wait one after the other.
      const deadlineMs = clock.monotonic() + LOCKED_MS_MAX;
      return serial(() => withLock({ intent, paths: [path] }, deadlineMs, work));
    },
    async finishLeft() {
      if (!(await isLeftBehind(gitDir))) return;
      const note = { intent: { author: '', message: 'finish what was left' }, paths: [] };
      await withLock(note, clock.monotonic() + LOCKED_MS_MAX, async () => undefined).catch((error: unknown) =>
        onWarning({ error: messageOf(error) }, 'a git lock of a dead host is still there'),
      );
    },
    hasLock: () => hasLock,
    idle: serial.idle,
  };
}

/** Commits what a host that was killed had written, or was about to, as it is found. */
async function finish(options: RecorderOptions, { intent, paths: noted, brought }: LockNote): Promise<void> {
  const { root, readHead, onWarning } = options;
  if (noted.length === 0 || (await readHead()).operation !== '') return;
  const isVain = await isForNothing(root, noted[0], brought);
  const paths = isVain ? noted.filter((path) => path !== brought) : noted;
  const message = `${intent.message}\n\nHersh-Recovered: the host was killed meanwhile; the files are as found`;
  await commitPaths({ ...options, intent: { ...intent, message }, paths }).catch((error: unknown) =>
    onWarning({ error: messageOf(error), paths }, 'an edit that was cut off is not committed'),
  );
}

/** Whether the host did not come to the manifest that names what was brought: then it is taken back. */
async function isForNothing(root: string, manifest = '', brought = ''): Promise<boolean> {
  if (brought === '' || sourcesFolderOf(brought) !== brought) return false;
  const text = await readFile(join(root, manifest), 'utf8').catch(() => '');
  if (text.includes(brought)) return false;
  await removeFolder(root, brought);
  return true;
}

/** Where a git of ours was killed in that work, the next one would meet its locks. */
async function unlocked<T>(locks: LeftLocks, work: () => Promise<T>): Promise<T> {
  await locks.begin();
  const done = await work().catch(async (error: unknown) => {
    await locks.clear();
    throw error;
  });
  // The commit stands, whatever becomes of the note.
  await locks.end();
  return done;
}

/** Commits as soon as no other git holds a lock that is needed for it. */
async function commitWhenFree(request: CommitRequest, clock: Clock, deadlineMs: number): Promise<Committed> {
  for (;;) {
    try {
      return await commitPaths(request);
    } catch (error) {
      if (!(error instanceof GitBusy)) throw error;
      if (clock.monotonic() >= deadlineMs) {
        throw new AppError('RegistryUnavailable', `git could not commit the change: ${error.message}`, {
          hint: 'Another git holds a lock in the repository; nothing was changed, try again.',
        });
      }
      await elapse(clock, BUSY_AGAIN_MS);
    }
  }
}

function inProgress(operation: string): AppError {
  const message = `a ${operation} is in progress in the registry, so nothing can be committed`;
  return new AppError('Conflict', message, { hint: `Finish the ${operation}, or abort it, and try again.` });
}
