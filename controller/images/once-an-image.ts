/**
 * The room that gets images: builds and pulls in the background, and the hashes of what is built from, so that
 * nobody waits for them and nothing is made twice.
 */

import { AppError } from '../../schemas/errors.ts';
import { type CredentialSource, NO_CREDENTIALS } from '../credentials/credentials.ts';
import type { Credentials, Image } from '../engine/engine.ts';
import { createSlots } from '../engine/slots.ts';
import { createPullNow, type PullNow } from './pull-now.ts';
import { BUILDS_MAX, type BuildDeps, type BuildRequest, runBuild } from './run-build.ts';
import { PULLS_MAX, runPull } from './run-pull.ts';
import { createTaskPool, type Outcome, type Task } from './task-pool.ts';

/** Builds and pulls that run in the background, one an image however many programs wait for it. */
export interface ImageTasks {
  /** Whether one runs, or waits for its turn, for this program; for that image only, where one is named. */
  pending(name: string, key?: string): boolean;
  /** What runs, or waits for its turn, for this program: build hashes and references. */
  keysOf(name: string): string[];
  /** Build hashes and references of all that runs or waits for its turn. */
  keys(): string[];
  /** The same with the programs that each is for, and whether it has its turn. */
  list(): { key: string; programs: string[]; isRunning: boolean }[];
  /** How many run and wait for their turn, without the pulls of `pullNow`. */
  counts(): Record<'builds' | 'pulls', { running: number; waiting: number }>;
  build(name: string, request: BuildRequest & Asked): void;
  pull(name: string, request: PullRequest): void;
  /**
   * Pulls for somebody who waits for the answer, whatever the program waits for. Rejects as `runPull`, `Conflict` for a
   * second one at once, `Busy` where too many wait, and `BuildAborted` where nobody does any more, or the host ends.
   */
  pullNow(name: string, request: PullNow): Promise<Image>;
  /** The program waits no more; what nobody waits for is stopped. `keep` is the key it goes on waiting for. */
  leave(name: string, keep?: string): void;
  /** What the newest task of a program came to, once. */
  takeOutcome(name: string): Outcome;
  /** Stops everything; resolves when it has ended. */
  close(): Promise<void>;
}

/** Whose program asks: what others get with other credentials is not for it. */
export interface Asked {
  userId: string;
}

export interface PullRequest extends Asked {
  reference: string;
  /** What another began is not joined: the name may be another image's since. */
  isFresh: boolean;
  /** What it is pulled for; told when it has ended, where it was to be fresh. */
  attempt: string;
}

export interface ImageTaskDeps extends BuildDeps {
  /** Called with every program that waited when a task ended, and the build hash or reference that it was of. */
  onDone: (name: string, key: string) => void;
  /** By default none. */
  credentials?: CredentialSource;
  /** Told why the credentials for a program's images are not to be had, in words for people; it goes on without. */
  onTrouble?: (name: string, message: string) => void;
}

export function createImageTasks(deps: ImageTaskDeps): ImageTasks {
  const { credentials = NO_CREDENTIALS, onTrouble = () => {} } = deps;
  const pool = createTaskPool(deps.onDone);
  const builds = createSlots(BUILDS_MAX, 0);
  const pulls = createSlots(PULLS_MAX, 0);

  /** With the credentials of a user, whose troubles all who wait are told of; in an error too. */
  async function by<T>(
    userId: string,
    waiters: Task['waiters'],
    act: (given: Credentials) => Promise<T>,
  ): Promise<T> {
    const troubles: string[] = [];
    const given = credentials.of(userId, (message) => {
      troubles.push(message);
      for (const name of waiters.keys()) onTrouble(name, message);
    });
    return act(given).catch((error: unknown) => {
      throw withTroubles(error, troubles);
    });
  }

  return {
    pending: (name, key) => pool.keysOf(name).some((one) => key === undefined || one === key),
    ...{ keysOf: pool.keysOf, keys: pool.keys, list: pool.list },
    counts: () => ({ builds: builds.counts(), pulls: pulls.counts() }),
    ...{ leave: pool.leave, takeOutcome: pool.takeOutcome },
    build(name, request) {
      const { hash: key, userId } = request;
      const id = ['build', key, credentials.scopeOf(userId), request.pull].join('\n');
      const run = ({ waiters, abort }: Task) =>
        by(userId, waiters, (given) =>
          runBuild(deps, { ...request, waiting: () => [...waiters.keys()] }, given, abort.signal),
        );
      pool.join(name, '', { id, key, isAlone: true, slots: builds, run });
    },
    pull(name, { reference: key, userId, isFresh, attempt }) {
      const whose = isFresh ? [name, attempt] : [credentials.scopeOf(userId)];
      const run = ({ waiters, abort }: Task) =>
        by(userId, waiters, (given) => runPull(deps, key, given, abort.signal));
      const task = { id: ['pull', key, ...whose].join('\n'), key, isAlone: false, slots: pulls, run };
      pool.join(name, isFresh ? attempt : '', task);
    },
    pullNow: createPullNow(pool, (name, { reference, userId }, signal) =>
      by(userId, new Map([[name, '']]), (given) => runPull(deps, reference, given, signal)),
    ),
    close: pool.close,
  };
}

function withTroubles(error: unknown, troubles: readonly string[]): unknown {
  if (!(error instanceof AppError) || troubles.length === 0 || error.reason === 'BuildAborted') return error;
  const message = [error.message, ...troubles].join('; ');
  return new AppError(error.reason, message, { cause: error, hint: error.hint });
}
