import type { PauseStore, ProgramStore } from '../../api/deps.ts';
import type { Registry } from '../../registry/registry.ts';
import { AppError } from '../../schemas/errors.ts';
import type { Pause } from '../../schemas/pause.ts';
import type { EventDraft } from '../program/events.ts';
import type { ProgramViews } from './program-views.ts';

/** @param tell writes an event of a program; never rejects */
export function createPauseStore(
  { pauses, status }: Pick<Registry, 'pauses' | 'status'>,
  { mustGet, get, leftBy }: Pick<ProgramViews, 'mustGet' | 'get'> & Pick<ProgramStore, 'leftBy'>,
  tell: (name: string, event: EventDraft) => Promise<void>,
): PauseStore {
  /** Not waited for: what was asked for is done, whether or not the disk takes the telling of it. */
  function tellAll(name: string | undefined, reason: string, message: string, by: string): void {
    const author = by === '' ? {} : { author: by };
    for (const one of name === undefined ? status.names() : [name])
      void tell(one, { type: 'Normal', reason, message, ...author });
  }

  return {
    host: pauses.host,
    named: pauses.named,
    of: pauses.of,
    async pause(name, asked) {
      // Whoever does not say who it is, is told to be the program's user, as with every other call.
      const by = asked.by || (name === undefined ? '' : mustGet(name).status.userId);
      const done = await pauses.pause(name, { ...asked, by });
      const what = name === undefined ? 'the host' : 'it';
      const why = asked.why === '' ? '' : `: ${asked.why}`;
      if (done.changed) tellAll(name, 'Paused', `${what} was paused${why}; nothing is done about it`, by);
      return done;
    },
    async resume(name, by) {
      const view = name === undefined ? undefined : get(name);
      const user = name === undefined ? '' : (view?.status.userId ?? leftBy(name) ?? '');
      const stood = await pauses.resume(name);
      if (stood === undefined && name !== undefined && view === undefined)
        throw new AppError('NotFound', `program ${name} not found`);
      if (stood !== undefined) tellAll(name, 'Resumed', resumed(name, stood), by || user);
      return stood;
    },
  };
}

function resumed(name: string | undefined, { since }: Pause): string {
  return `${name === undefined ? 'the host' : 'it'} was resumed; it was paused since ${since}`;
}
