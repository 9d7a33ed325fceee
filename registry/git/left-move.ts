import { redactText } from './follow.ts';
import type { Mover } from './move.ts';
import type { Timers } from './timers.ts';

/** What a host that was killed left half moved is looked at again after this, where a git is still at work on it. */
const AGAIN_MS = 1_000;

/** A move that a host before this one could not finish. */
export interface LeftMove {
  /** Takes back what was half moved; where that has to wait, again and again, later. */
  settle(): Promise<void>;
  /** Resolves when no submodule is being brought. */
  idle(): Promise<void>;
}

/**
 * @param follows whether a remote is followed: who does that brings what is owed
 */
export function createLeftMove(
  mover: Mover,
  follows: boolean,
  timers: Timers,
  onWarning: (fields: object, message: string) => void,
): LeftMove {
  let bringing: Promise<void> = Promise.resolve();

  async function bringOwed(): Promise<void> {
    const missing = mover.owesSubmodules() ? redactText(await mover.bring()) : '';
    if (missing !== '') onWarning({ missing }, 'submodules are not at the commit that HEAD names');
  }

  function done(): void {
    if (!follows) bringing = bringOwed();
  }

  async function again(): Promise<void> {
    if (mover.isUnderWay() && (await mover.takeBack()) !== '')
      timers.later('taking back a move', AGAIN_MS, again);
    else done();
  }

  return {
    async settle() {
      const why = await mover.takeBack();
      if (why === '') return done();
      onWarning({ why }, 'a move to another commit was cut off, and is taken back as soon as that can be');
      timers.later('taking back a move', AGAIN_MS, again);
    },
    idle: () => bringing,
  };
}
