import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** Whatever puts a file in place, moves it or takes it away. */
const CHANGES = ['writeFile', 'mkdir', 'link', 'rename', 'rm', 'copyFile'] as const;

export interface Death {
  /** Whether it came. */
  readonly came: boolean;
  /** Gives the files back to those who live on. */
  over(): void;
}

type Call = (...args: unknown[]) => unknown;

/**
 * Lets whoever works with files in this process die before their change number `step`, as kill -9 does: it is not
 * made, and nothing comes after it.
 */
export function dieAt(step: number): Death {
  const never = new Promise<never>(() => undefined);
  let left = step;
  let came = false;
  const mayAct = () => {
    came ||= --left === 0;
    return !came;
  };
  const put = (target: object, name: string, call: Call): (() => void) => {
    const before = (target as Record<string, Call>)[name];
    Object.assign(target, { [name]: call });
    return () => Object.assign(target, { [name]: before });
  };
  const patches = CHANGES.map((name) => {
    const real = promises[name] as unknown as Call;
    return put(promises, name, (...args) => (mayAct() ? real(...args) : never));
  });
  const { renameSync } = fs;
  patches.push(
    put(fs, 'renameSync', (...args) => {
      if (!mayAct()) throw new Error('dead');
      return (renameSync as unknown as Call)(...args);
    }),
  );
  syncBuiltinESMExports();
  return {
    get came() {
      return came;
    },
    over() {
      for (const undo of patches) undo();
      syncBuiltinESMExports();
    },
  };
}
