import type { Clock } from '../../schemas/clock.ts';
import { timestamp } from '../../schemas/program.ts';
import { settleMs } from '../files/settle.ts';
import type { GitHead } from './head.ts';
import { createPatience } from './patience.ts';
import { SourcesHeld } from './sources-held.ts';

/** Time until a busy git is looked at again, */
const BUSY_AGAIN_MS = 100;
/** and one that waits for somebody. */
const HELD_AGAIN_MS = 500;

/** How git stands at a moment. */
export interface Stand {
  /** Equal as long as git took no step. */
  key: string;
  /** It is at work just now, waited for or not. */
  isBusy: boolean;
  /** Milliseconds until it is to be asked again, since what lies there now is nobody's wish; 0 when that may be read. */
  waitMs: number;
  /** What is in progress until somebody ends it, for people; or `""`. */
  inProgress: string;
}

/** Whether what lies in the work tree may be taken up, by what git is doing there. */
export interface GitStand {
  /** HEAD, and what is in progress, as it is now. */
  head(): Promise<GitHead>;
  /** `merge`, `rebase`, … as long as one is in progress, or `""`; as last seen. */
  operation(): string;
  /** Whether manifests may be read now. `began`: when that began; a step of git since then spoils what was read. */
  stand(began?: Stand): Promise<Stand>;
  /** All manifests are known as they are in that stand. */
  looked(stand: Stand): void;
  /** Why sources are not looked at: git stands elsewhere than at the last look, so they may be those of other manifests. */
  held(): Promise<SourcesHeld | undefined>;
  /** Whether git took a step that no look has taken in. */
  isAhead(head: GitHead): boolean;
  /** A commit of our own led from one to the other: what it holds is known, what others did before is not. */
  committed(from: GitHead, to: GitHead): void;
  /** Whether the index holds conflicts: a `git stash pop` leaves them, and nothing else tells of it. */
  noteConflicts(head: GitHead, has: boolean): void;
}

export interface GitStandOptions {
  readHead: () => Promise<GitHead>;
  clock: Clock;
  /** Whether the lock on the index is this host's. */
  hasOwnLock: () => boolean;
  /** Whether the host itself is moving the files to another commit, or has yet to take back what it could not finish. */
  isMoving: () => boolean;
  /** Whether whoever holds the lock lives, and writes. */
  isHolderAlive: () => Promise<boolean>;
}

export function createGitStand(options: GitStandOptions): GitStand {
  const { readHead, clock, hasOwnLock, isMoving } = options;
  let operation = '';
  let operationSince = '';
  let conflictKey: string | undefined;
  /** The key at the last look at all manifests. */
  let lookedKey: string | undefined;
  const patience = createPatience(clock);
  const isAhead = ({ key }: GitHead) => lookedKey !== undefined && key !== lookedKey;
  const isLocked = ({ locked }: GitHead) => isMoving() || (locked && !hasOwnLock());
  const inProgress = () =>
    `a ${operation} is in progress in the registry since ${operationSince}: manifests and sources are taken up when it is finished or aborted, and git status says how`;

  async function head(): Promise<GitHead> {
    const read = await readHead();
    const now = read.operation === '' && read.key === conflictKey ? { ...read, operation: 'merge' } : read;
    if (operation === '' && now.operation !== '') operationSince = timestamp(clock.now());
    operation = now.operation;
    return now;
  }

  /** The lock is gone some moments before HEAD moves, or a merge says that it stands still. */
  function isUnsettled(now: GitHead): boolean {
    return isAhead(now) && now.index !== undefined && settleMs(now.index, clock.now()) > 0;
  }

  /** Whether git, ahead of the last look or at work, is waited for. */
  const waitsFor = (now: GitHead, isBusy: boolean) =>
    patience.waits(isBusy, async () => isMoving() || (isLocked(now) && (await options.isHolderAlive())));

  return {
    ...{ head, isAhead },
    operation: () => operation,
    async stand(began) {
      const now = await head();
      const { key } = now;
      const isBusy = isLocked(now) || isUnsettled(now) || (began !== undefined && began.key !== key);
      if (now.operation !== '') return { key, isBusy, waitMs: HELD_AGAIN_MS, inProgress: inProgress() };
      const waits = await waitsFor(now, isBusy);
      return { key, isBusy, waitMs: waits ? BUSY_AGAIN_MS : 0, inProgress: waits ? patience.words() : '' };
    },
    looked({ key, isBusy }) {
      lookedKey = key;
      if (!isBusy) patience.rest();
    },
    async held() {
      const now = await head();
      if (now.operation !== '') return new SourcesHeld(inProgress(), true, HELD_AGAIN_MS);
      if (!(await waitsFor(now, isLocked(now) || isAhead(now)))) return undefined;
      return new SourcesHeld('git is at work in the registry', false, BUSY_AGAIN_MS);
    },
    committed(from, to) {
      if (from.key === lookedKey) lookedKey = to.key;
    },
    noteConflicts({ key }, has) {
      conflictKey = has ? key : undefined;
    },
  };
}
