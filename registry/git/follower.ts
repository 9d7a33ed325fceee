import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { type Followed, followOnce, type Remote, type RemoteTrouble } from './follow.ts';
import type { GitHead } from './head.ts';
import type { LeftLocks } from './left-locks.ts';
import type { Mover } from './move.ts';
import type { GitRun } from './run.ts';
import type { Timers } from './timers.ts';

/** The start of the host waits this long for the first look at the remote. */
const FIRST_FOLLOW_MS_MAX = 5_000;

/** Where it is asked for again and again, looks at the remote begin this long after one another, or longer. */
const ASKED_MS_MIN = 1_000;

/** What was cut off, and can not be taken back yet, is waited for in steps of this. */
const UNDER_WAY_MS = 1_000;

/** Keeps the work tree equal to a branch elsewhere. */
export interface Follower {
  /** Begins; resolves when the remote was looked at once, or is not waited for any longer. */
  begin(): Promise<void>;
  /** Looks at the remote now; where a look is under way, once more after it, however often that is asked for. */
  look(): void;
  /** Why the remote is not followed at present. */
  trouble(): RemoteTrouble | undefined;
  /** The same for people, and since when. */
  warnings(): string[];
  /** Resolves when no look at the remote is under way. */
  idle(): Promise<void>;
}

export interface FollowerOptions {
  remote: Remote;
  run: GitRun;
  clock: Clock;
  timers: Timers;
  readHead: () => Promise<GitHead>;
  mover: Mover;
  locks: LeftLocks;
  /** Where git keeps refs and objects. */
  commonDir: string;
  onWarning: (fields: object, message: string) => void;
  /** Called when HEAD was moved, or there is another trouble, or none any more. */
  onNews: () => void;
}

/** A look at the remote, under a note by which locks of a git that was killed in it are known afterwards. */
async function lookNoting({ locks, ...options }: FollowerOptions): Promise<Followed> {
  const { run, remote, readHead, mover, commonDir } = options;
  await locks.clear();
  await locks.begin();
  const result: Followed = await followOnce(run, remote, readHead, mover, commonDir).catch(
    (error: unknown) => ({
      trouble: { reason: 'RemoteUnreachable', message: messageOf(error) },
      moved: false,
    }),
  );
  // Where something failed, a git may have been killed: seen to before the next try.
  if (result.trouble === undefined) await locks.end();
  return result;
}

export function createFollower(options: FollowerOptions): Follower {
  const { remote, clock, timers, mover, onWarning, onNews } = options;
  let trouble: RemoteTrouble | undefined;
  let since = '';

  let following: Promise<void> = Promise.resolve();

  let isFollowing = false;
  /** While a look was under way: it may have asked before the remote had what it was asked for. */
  let isAskedAgain = false;
  let beganMs = Number.NEGATIVE_INFINITY;

  function follow(): Promise<void> {
    following = followNow();
    return following;
  }

  const followIn = (ms: number) => timers.later('following the remote', ms, follow);
  const soonMs = () => Math.max(0, beganMs + ASKED_MS_MIN - clock.monotonic());

  async function followNow(): Promise<void> {
    isFollowing = true;
    isAskedAgain = false;
    beganMs = clock.monotonic();
    let nextMs = remote.intervalMs;
    try {
      nextMs = await lookOnce();
    } finally {
      isFollowing = false;
      followIn(isAskedAgain ? soonMs() : nextMs);
    }
  }

  /** @returns when the next one is due, in milliseconds */
  async function lookOnce(): Promise<number> {
    if (mover.isUnderWay() && (await mover.takeBack()) !== '') return UNDER_WAY_MS;
    const result = await lookNoting(options);
    const isOther = result.trouble?.message !== trouble?.message;
    trouble = result.trouble;
    if (isOther) {
      since = timestamp(clock.now());
      if (trouble !== undefined) onWarning({}, `the remote is not followed: ${trouble.message}`);
    }
    if (result.moved || isOther) onNews();
    return remote.intervalMs;
  }

  return {
    begin() {
      const waited = new Promise<void>((resolve) =>
        timers.later('the wait for the remote', FIRST_FOLLOW_MS_MAX, async () => resolve()),
      );
      return Promise.race([follow(), waited]);
    },
    look() {
      if (isFollowing) isAskedAgain = true;
      else followIn(soonMs());
    },
    trouble: () => trouble,
    idle: () => following.catch(() => undefined),
    warnings: () =>
      trouble === undefined ? [] : [`the remote is not followed since ${since}: ${trouble.message}`],
  };
}
