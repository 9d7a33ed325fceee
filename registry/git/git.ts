/** All that knows git: the work tree as the registry uses it, where it is one. */

import { join } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import { AppError } from '../../schemas/errors.ts';
import { createGitState, type GitState } from './committed-files.ts';
import { findFolders, hasOwn, type WorkTree } from './folders.ts';
import { prepareFollowing, type Remote, type RemoteTrouble, redactUrl } from './follow.ts';
import { createFollower, type Follower } from './follower.ts';
import { askHead, createHeadReader } from './head.ts';
import { createLeftLocks } from './left-locks.ts';
import { createLeftMove } from './left-move.ts';
import { isHeldByLiving } from './lock-holder.ts';
import { createGitStand, type GitStand } from './may-be-read.ts';
import { createMover } from './move.ts';
import { createGitQuestions, type GitQuestions } from './questions.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createGitRun } from './run.ts';
import { createTimers, type Timers } from './timers.ts';

/** HEAD is looked at this often; a few `stat` calls. */
const HEAD_MS = 500;
/** The git work tree that the registry is. */
export interface Git
  extends Pick<GitState, 'commitOf' | 'hasProgram' | 'droppedProgram' | 'touch'>,
    Pick<GitStand, 'head' | 'operation' | 'stand' | 'looked' | 'held'>,
    Pick<Recorder, 'record'>,
    GitQuestions {
  /** See `GitState.refresh`. */
  refresh(): Promise<ReadonlySet<string>>;
  /** Throws `Conflict` where every edit is refused, since it belongs to the remote that is followed. */
  mustBeEditable(): void;
  /** Why the remote is not followed at present; undefined where it is, or there is none. */
  remoteTrouble(): RemoteTrouble | undefined;
  /** Looks at the remote now, and not only when it is due. Gives whether one is followed. */
  lookAtRemote(): boolean;
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
 * Opens the git work tree that `root` lies in, and finishes what a killed host left half done in it. Undefined
 * where there is none, it ignores the manifests of this registry, or git is not installed: then the registry is plain files. That is looked
 * at once, at the start of the host.
 * Rejects `RegistryUnavailable` where a remote is to be followed and that can not be.
 */
export async function openGit(options: GitOptions): Promise<Git | undefined> {
  const { root, remote, onWarning } = options;
  if (remote !== undefined) await prepareFollowing(root, remote);
  const ends = new AbortController();
  // Without one of its own the registry may be a folder of a larger repository.
  const outmost = (await hasOwn(root)) ? root : '/';
  const folders = await findFolders(root, createGitRun(root, ends.signal, outmost), (why) => {
    onWarning({}, why);
    options.onUnused?.(why);
  });
  if (folders !== undefined) {
    const git = createGit(options, folders, ends);
    await git.open();
    return git;
  }
  if (remote === undefined) return undefined;
  throw new AppError('RegistryUnavailable', 'the registry can not follow a remote: git does not work there', {
    hint: 'Is git installed, and does the .git folder belong to the user the host runs as?',
  });
}

interface OpenableGit extends Git {
  open(): Promise<void>;
}

function createGit(options: GitOptions, folders: WorkTree, ends: AbortController): OpenableGit {
  const { clock, onWarning, remote } = options;
  const run = createGitRun(options.root, ends.signal, folders.top);
  const runAtTop = createGitRun(folders.top, ends.signal);
  const state = createGitState({ root: options.root, prefix: folders.prefix }, run, clock, onWarning);
  const readHead = createHeadReader(folders, (isReftable) => askHead(run, isReftable));
  const locks = createLeftLocks(folders, clock);
  const mover = createMover(folders.top, folders.gitDir, runAtTop, readHead, ends.signal);
  const stand = createGitStand({
    ...{ readHead, clock, hasOwnLock: () => recorder.hasLock(), isMoving: mover.isMoving },
    isHolderAlive: () => isHeldByLiving(join(folders.gitDir, 'index.lock')),
  });
  const recorder = createRecorder({
    ...{ root: options.root, gitDir: folders.gitDir, run, clock, locks, onWarning, readHead: stand.head },
    async onCommit(from, to, done) {
      if (from.id === state.head()) state.committed(to.id, done);
      else await state.refresh(to);
      stand.committed(from, to);
    },
  });
  const timers = createTimers(clock, onWarning);
  let onMoved: () => void = () => undefined;
  const left = createLeftMove(mover, remote !== undefined, timers, onWarning);
  const moved = () => {
    if (!timers.isClosed()) onMoved();
  };
  const follower =
    remote &&
    createFollower({
      ...{ remote, run, clock, timers, readHead, mover, locks, onWarning, onNews: moved },
      commonDir: folders.commonDir,
    });
  const refresh = () => refreshed(state, stand);

  return {
    ...{ commitOf: state.commitOf, hasProgram: state.hasProgram },
    ...{ droppedProgram: state.droppedProgram, touch: state.touch },
    ...{ head: stand.head, operation: stand.operation, stand: stand.stand },
    ...{ looked: stand.looked, held: stand.held },
    ...createGitQuestions(run, () => state.head() === '', state.recordedAs),
    refresh,
    mustBeEditable: () => mustNotFollow(remote),
    async open() {
      await locks.clear();
      // An edit that a kill cut off is finished now, and not at the next edit, which may never come.
      await recorder.finishLeft();
      await left.settle();
      await follower?.begin();
      await refresh();
    },
    async record(...edit) {
      mustNotFollow(remote);
      return recorder.record(...edit);
    },
    ...aboutRemote(follower),
    start(listener) {
      onMoved = listener;
      pollHead(stand, timers, moved);
    },
    async close() {
      timers.close();
      await recorder.idle();
      // What only fetches, looks or tidies up can be done by the next host as well.
      ends.abort();
      await follower?.idle();
      await left.idle();
    },
  };
}

function aboutRemote(
  follower: Follower | undefined,
): Pick<Git, 'remoteTrouble' | 'lookAtRemote' | 'warnings'> {
  return {
    remoteTrouble: () => follower?.trouble(),
    lookAtRemote() {
      follower?.look();
      return follower !== undefined;
    },
    warnings: () => follower?.warnings() ?? [],
  };
}

/** Takes in what git did since the last time. */
async function refreshed(state: GitState, stand: GitStand): Promise<ReadonlySet<string>> {
  const now = await stand.head();
  // What git did last may have changed which files differ.
  if (stand.isAhead(now)) state.touch();
  const changed = await state.refresh(now);
  stand.noteConflicts(now, state.hasConflicts());
  return changed;
}

/** Tells, from now on, when HEAD moved, or an operation began or ended. */
function pollHead(stand: GitStand, timers: Timers, onNews: () => void): void {
  let before = '';
  const poll = async () => {
    const now = await stand.head();
    const isNews = now.operation !== before || stand.isAhead(now);
    before = now.operation;
    if (isNews) onNews();
    timers.later('the look at HEAD', HEAD_MS, poll);
  };
  timers.later('the look at HEAD', HEAD_MS, poll);
}

function mustNotFollow(remote: Remote | undefined): void {
  if (remote === undefined) return;
  const { url, branch } = remote;
  const where = `branch ${branch} of ${redactUrl(url)}`;
  throw new AppError('Conflict', `this registry follows ${where}: it is changed by a commit there`, {
    hint: `Commit the change to ${where}; it is taken up at the next look.`,
  });
}
