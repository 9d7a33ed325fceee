import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { sourcesFolderOf } from '../paths.ts';
import { commitPaths, GitBusy } from './commit.ts';
import { findFolders } from './folders.ts';
import {
  type Followed,
  followOnce,
  prepareFollowing,
  type Remote,
  type RemoteTrouble,
  redactUrl,
} from './follow.ts';
import { createHeadReader, type GitFolders } from './head.ts';
import { removeFolder } from './kept-sources.ts';
import { type IndexLock, type Intent, isLeftBehind, type LockNote, lockIndex } from './lock.ts';
import { createGitRun, type GitRun } from './run.ts';
import { createGitStand, type GitStand } from './stand.ts';
import { createGitState, type GitState } from './state.ts';

/** HEAD is looked at this often; a few `stat` calls. */
const HEAD_MS = 500;
/** An edit waits this long for somebody else's lock on the index. */
const LOCKED_MS_MAX = 5_000;
/** Somebody else's lock on a reference is waited for in steps of this. */
const BUSY_AGAIN_MS = 100;
/** The start of the host waits this long for the first look at the remote. */
const FIRST_FOLLOW_MS_MAX = 5_000;
/** Commits of ours between two runs of git's own housekeeping. */
const COMMITS_PER_GC = 200;
const GC_MS_MAX = 600_000;

/** A commit, and the name of who made it. */
export interface Change {
  commit: string;
  author: string;
}

/** The git work tree that the registry is. */
export interface Git
  extends Pick<GitState, 'commitOf' | 'hasProgram' | 'droppedProgram' | 'touch'>,
    Pick<GitStand, 'operation' | 'stand' | 'looked' | 'held'> {
  /** See `GitState.refresh`. */
  refresh(): Promise<ReadonlySet<string>>;
  /**
   * Lets `edit` change files and commit them, one edit at a time, with the index locked. What `edit` does before
   * `commit` it must take back when `commit` rejects. Should this host be killed meanwhile, the next start commits
   * what is noted: so `edit` notes whatever else than `path` it is about to change.
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
  /** Throws `Conflict` where every edit is refused, since it belongs to the remote that is followed. */
  mustBeEditable(): void;
  /** Whether everything in that folder is in HEAD, unchanged; asked of git at once. */
  isClean(folder: string): Promise<boolean>;
  /** Whether git leaves that folder out: nothing in it is tracked, and it is ignored. */
  ignores(folder: string): Promise<boolean>;
  /** The last of these commits (as `git log` takes them) that touched one of these paths, as far as git can tell. */
  lastChange(commits: string, paths: readonly string[]): Promise<Change | undefined>;
  /** Why the remote is not followed at present; undefined where it is, or there is none. */
  remoteTrouble(): RemoteTrouble | undefined;
  /** What people have to know, for `/readyz`. */
  warnings(): string[];
  /** Starts calling back whenever HEAD moved, an operation began or ended, or the remote came or went. */
  start(onMoved: () => void): void;
  close(): Promise<void>;
}

export interface GitOptions {
  root: string;
  clock: Clock;
  onWarning: (fields: object, message: string) => void;
  /** Told, for people, why the registry is taken for plain files though it has a `.git`. */
  onUnused?: (why: string) => void;
  remote?: Remote | undefined;
}

/**
 * Opens the git work tree whose top is `root`, and finishes what a killed host left half done in it. Undefined
 * where the root is not the top of one, or git is not installed: then the registry is plain files. That is looked
 * at once, at the start of the host.
 * Rejects `RegistryUnavailable` where a remote is to be followed and that can not be.
 */
export async function openGit(options: GitOptions): Promise<Git | undefined> {
  const { root, remote, onWarning } = options;
  if (remote !== undefined) await prepareFollowing(root, remote);
  const run = createGitRun(root);
  const folders = await findFolders(root, run, (why) => {
    onWarning({}, why);
    options.onUnused?.(why);
  });
  if (folders !== undefined) {
    const git = createGit(options, run, folders);
    await git.open();
    return git;
  }
  if (remote === undefined) return undefined;
  throw new AppError('RegistryUnavailable', 'the registry can not follow a remote: git does not work there', {
    hint: 'Is git installed, and does the .git folder belong to the user the host runs as?',
  });
}

function createGit(options: GitOptions, run: GitRun, folders: GitFolders): Git & { open(): Promise<void> } {
  const { root, clock, onWarning, remote } = options;
  const { gitDir } = folders;
  const state = createGitState(run, clock, onWarning);
  const readHead = createHeadReader(folders, async () => {
    const { code, stdout } = await run(['rev-parse', '-q', '--verify', 'HEAD']);
    return code === 0 ? stdout.trim() : '';
  });
  const cancels = new Map<string, () => void>();
  let onMoved: () => void = () => undefined;
  let trouble: RemoteTrouble | undefined;
  let troubleSince = '';
  /** The operation at the last look at HEAD. */
  let polled = '';
  let ownLock = false;
  const stand = createGitStand(readHead, clock, () => ownLock);
  let commits = 0;
  let closed = false;
  /** Edits go one after the other. */
  let tail: Promise<unknown> = Promise.resolve();

  const serial = <T>(work: () => Promise<T>): Promise<T> => {
    const next = tail.then(work, work);
    tail = next.catch(() => undefined);
    return next;
  };
  const later = (what: string, ms: number, work: () => Promise<void>) => {
    if (closed) return;
    cancels.get(what)?.();
    cancels.set(
      what,
      clock.after(ms, () => {
        work().catch((error: unknown) => onWarning({ error: messageOf(error) }, `${what} failed`));
      }),
    );
  };

  async function refresh(): Promise<ReadonlySet<string>> {
    const now = await stand.head();
    // What git did last may have changed which files differ.
    if (stand.isAhead(now)) state.touch();
    const changed = await state.refresh(now);
    stand.noteConflicts(now, state.hasConflicts());
    return changed;
  }

  async function poll(): Promise<void> {
    const now = await stand.head();
    const isNews = now.operation !== polled || stand.isAhead(now);
    polled = now.operation;
    if (isNews && !closed) onMoved();
    later('the look at HEAD', HEAD_MS, poll);
  }

  async function withLock<T>(
    intent: Intent,
    paths: readonly string[],
    work: (lock: IndexLock) => Promise<T>,
    deadlineMs = clock.monotonic() + LOCKED_MS_MAX,
  ): Promise<T> {
    const lock = await lockIndex(gitDir, { intent, paths }, clock, deadlineMs);
    ownLock = true;
    try {
      if (lock.left !== undefined) await finish(lock.left);
      return await work(lock);
    } finally {
      await lock.release();
      ownLock = false;
    }
  }

  /** Commits what a host that was killed had written, or was about to, as it is found. */
  async function finish({ intent, paths: noted, brought }: LockNote): Promise<void> {
    if (noted.length === 0 || (await stand.head()).operation !== '') return;
    const paths = (await isForNothing(noted[0], brought)) ? noted.filter((path) => path !== brought) : noted;
    const message = `${intent.message}\n\nHersh-Recovered: the host was killed meanwhile; the files are as found`;
    await commitPaths({
      root,
      gitDir,
      run,
      intent: { ...intent, message },
      paths,
    }).catch((error: unknown) =>
      onWarning({ error: messageOf(error), paths }, 'an edit that was cut off is not committed'),
    );
  }

  /** Whether the host did not come to the manifest that names what was brought: then it is taken back. */
  async function isForNothing(manifest = '', brought = ''): Promise<boolean> {
    if (brought === '' || sourcesFolderOf(brought) !== brought) return false;
    const text = await readFile(join(root, manifest), 'utf8').catch(() => '');
    if (text.includes(brought)) return false;
    await removeFolder(root, brought);
    return true;
  }

  async function commit(lock: IndexLock, intent: Intent, paths: readonly string[]): Promise<void> {
    await lock.note({ intent, paths });
    const deadlineMs = clock.monotonic() + LOCKED_MS_MAX;
    const parent = await stand.head();
    for (;;) {
      try {
        const done = await commitPaths({ root, gitDir, run, intent, paths, onRecord: true });
        const now = await stand.head();
        if (parent.id === state.head()) state.committed(now.id, done);
        else await state.refresh(now);
        stand.committed(parent, now);
        break;
      } catch (error) {
        if (!(error instanceof GitBusy)) throw error;
        if (clock.monotonic() < deadlineMs) {
          await new Promise<void>((resolve) => clock.after(BUSY_AGAIN_MS, resolve));
          continue;
        }
        throw new AppError('RegistryUnavailable', `git could not commit the change: ${error.message}`, {
          hint: 'Another git holds a lock in the repository; nothing was changed, try again.',
        });
      }
    }
    if (++commits % COMMITS_PER_GC === 0) void run(['gc', '--auto', '--quiet'], { limitMs: GC_MS_MAX });
  }

  async function follow(from: Remote): Promise<void> {
    const result: Followed = await followOnce(run, from, readHead).catch((error: unknown) => ({
      trouble: { reason: 'RemoteUnreachable', message: messageOf(error) },
      moved: false,
    }));
    const isNews = result.trouble?.message !== trouble?.message;
    trouble = result.trouble;
    if (isNews) {
      troubleSince = timestamp(clock.now());
      if (trouble !== undefined) onWarning({}, `the remote is not followed: ${trouble.message}`);
    }
    if ((result.moved || isNews) && !closed) onMoved();
    later('following the remote', from.intervalMs, () => follow(from));
  }

  return {
    ...{ commitOf: state.commitOf, hasProgram: state.hasProgram },
    ...{ droppedProgram: state.droppedProgram, touch: state.touch },
    ...{ operation: stand.operation, stand: stand.stand, looked: stand.looked, held: stand.held },
    refresh,
    async open() {
      // An edit that a kill cut off is finished now, and not at the next edit, which may never come.
      if (await isLeftBehind(gitDir)) {
        await withLock({ author: '', message: 'finish what was left' }, [], async () => undefined).catch(
          (error: unknown) =>
            onWarning({ error: messageOf(error) }, 'a git lock of a dead host is still there'),
        );
      }
      if (remote !== undefined) {
        const waited = new Promise<void>((resolve) =>
          cancels.set('first', clock.after(FIRST_FOLLOW_MS_MAX, resolve)),
        );
        await Promise.race([follow(remote), waited]);
      }
      await refresh();
    },
    record(intent, path, edit) {
      if (remote !== undefined) return Promise.reject(editElsewhere(remote));
      const work = async (lock: IndexLock) => {
        const { operation } = await stand.head();
        if (operation !== '') throw inProgress(operation);
        return edit(
          (paths) => commit(lock, intent, paths),
          (what) => lock.note({ intent, ...what }),
        );
      };
      // From now on, not from its turn: callers that queue behind a foreign lock do not wait one after the other.
      const deadlineMs = clock.monotonic() + LOCKED_MS_MAX;
      return serial(() => withLock(intent, [path], work, deadlineMs));
    },
    mustBeEditable() {
      if (remote !== undefined) throw editElsewhere(remote);
    },
    async isClean(folder) {
      const options = ['--porcelain', '--untracked-files=all', '--ignored', '--no-renames'];
      const { code, stdout } = await run(['status', ...options, '--', folder]);
      return code === 0 && stdout === '';
    },
    async ignores(folder) {
      for (const ask of [
        ['ls-files', '-z', '--'],
        ['ls-tree', '-z', '--name-only', 'HEAD', '--'],
      ]) {
        const { code, stdout } = await run([...ask, folder]);
        // A repository without a commit has no HEAD to look into.
        const isUnborn = ask[0] === 'ls-tree' && state.head() === '';
        if (stdout !== '' || (code !== 0 && !isUnborn)) return false;
      }
      // It knows no literal paths; the names that come here have no wildcards in them.
      const env = { GIT_LITERAL_PATHSPECS: '0' };
      return (await run(['check-ignore', '-q', '--', folder], { env })).code === 0;
    },
    async lastChange(commits, paths) {
      const options = ['-1', '--no-show-signature', '--format=%H%n%an'];
      const { stdout } = await run(['log', ...options, commits, '--', ...paths]);
      const [commit = '', author = ''] = stdout.split('\n');
      return commit === '' ? undefined : { commit, author };
    },
    remoteTrouble: () => trouble,
    warnings: () =>
      trouble === undefined ? [] : [`the remote is not followed since ${troubleSince}: ${trouble.message}`],
    start(listener) {
      onMoved = listener;
      later('the look at HEAD', HEAD_MS, poll);
    },
    async close() {
      closed = true;
      for (const cancel of cancels.values()) cancel();
      await tail;
    },
  };
}

function inProgress(operation: string): AppError {
  return new AppError(
    'Conflict',
    `a ${operation} is in progress in the registry, so nothing can be committed`,
    {
      hint: `Finish the ${operation}, or abort it, and try again.`,
    },
  );
}

function editElsewhere({ url, branch }: Remote): AppError {
  const where = `branch ${branch} of ${redactUrl(url)}`;
  return new AppError('Conflict', `this registry follows ${where}: it is changed by a commit there`, {
    hint: `Commit the change to ${where}; it is taken up at the next look.`,
  });
}
