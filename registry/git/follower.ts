import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { type Followed, followOnce, type Remote, type RemoteTrouble } from './follow.ts';
import type { GitHead } from './head.ts';
import type { GitRun } from './run.ts';
import type { Timers } from './timers.ts';

/** The start of the host waits this long for the first look at the remote. */
const FIRST_FOLLOW_MS_MAX = 5_000;

/** Keeps the work tree equal to a branch elsewhere. */
export interface Follower {
  /** Begins; resolves when the remote was looked at once, or is not waited for any longer. */
  begin(): Promise<void>;
  /** Why the remote is not followed at present. */
  trouble(): RemoteTrouble | undefined;
  /** The same for people, and since when. */
  warnings(): string[];
}

export interface FollowerOptions {
  remote: Remote;
  run: GitRun;
  clock: Clock;
  timers: Timers;
  readHead: () => Promise<GitHead>;
  onWarning: (fields: object, message: string) => void;
  /** Called when HEAD was moved, or there is another trouble, or none any more. */
  onNews: () => void;
}

export function createFollower(options: FollowerOptions): Follower {
  const { remote, run, clock, timers, readHead, onWarning, onNews } = options;
  let trouble: RemoteTrouble | undefined;
  let since = '';

  async function follow(): Promise<void> {
    const result: Followed = await followOnce(run, remote, readHead).catch((error: unknown) => ({
      trouble: { reason: 'RemoteUnreachable', message: messageOf(error) },
      moved: false,
    }));
    const isOther = result.trouble?.message !== trouble?.message;
    trouble = result.trouble;
    if (isOther) {
      since = timestamp(clock.now());
      if (trouble !== undefined) onWarning({}, `the remote is not followed: ${trouble.message}`);
    }
    if (result.moved || isOther) onNews();
    timers.later('following the remote', remote.intervalMs, follow);
  }

  return {
    begin() {
      const waited = new Promise<void>((resolve) =>
        timers.later('the wait for the remote', FIRST_FOLLOW_MS_MAX, async () => resolve()),
      );
      return Promise.race([follow(), waited]);
    },
    trouble: () => trouble,
    warnings: () =>
      trouble === undefined ? [] : [`the remote is not followed since ${since}: ${trouble.message}`],
  };
}
