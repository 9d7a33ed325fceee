import type { PauseStore } from '../../api/deps.ts';
import { AppError } from '../../schemas/errors.ts';
import type { Pause, PauseAsked } from '../../schemas/pause.ts';

/** What is left alone, in memory. @param knows whether there is such a program */
export function fakePauses(since: string, knows: (name: string) => boolean): PauseStore {
  const programs = new Map<string, Pause>();
  let all: Pause | undefined;
  const ownOf = (name: string | undefined) => (name === undefined ? all : programs.get(name));
  const missing = (name: string) => new AppError('NotFound', `no program ${name}`);
  return {
    host: () => all,
    named: () => [...programs],
    of(name) {
      const own = programs.get(name);
      if (own !== undefined) return { ...own, of: 'program' };
      return all && { ...all, of: 'host' };
    },
    async pause(name: string | undefined, asked: PauseAsked) {
      if (name !== undefined && !knows(name)) throw missing(name);
      const before = ownOf(name);
      if (before !== undefined) return { pause: before, changed: false };
      const pause = { since, ...asked };
      if (name === undefined) all = pause;
      else programs.set(name, pause);
      return { pause, changed: true };
    },
    async resume(name: string | undefined) {
      const before = ownOf(name);
      if (before === undefined && name !== undefined && !knows(name)) throw missing(name);
      if (name === undefined) all = undefined;
      else programs.delete(name);
      return before;
    },
  };
}
