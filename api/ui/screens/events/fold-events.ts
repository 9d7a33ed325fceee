import type { EventBody } from '../../words/event-body.ts';

/** The same again and again is told once: a turn of some events, how often it came, and the older turns. */
export interface Fold {
  /** The newest turn, newest first: one event, or the few that come by turns, as in a crash loop. */
  shown: readonly EventBody[];
  times: number;
  /** The other turns, newest first. */
  older: readonly EventBody[];
}

/** A turn has at most so many events: of a crash loop they are about five. */
const TURN_MAX = 8;

/** Neighbours that are the same but for their words are one fold. @param events oldest first */
export function foldEvents(events: readonly EventBody[]): Fold[] {
  const all = [...events].reverse();
  const keys = all.map(keyOf);
  const folds: Fold[] = [];
  for (let at = 0; at < all.length; ) {
    const { turn, times } = turnsAt(keys, at);
    const end = at + turn * times;
    folds.push({ shown: all.slice(at, at + turn), times, older: all.slice(at + turn, end) });
    at = end;
  }
  return folds;
}

/** What somebody asked for stands by itself. */
function keyOf({ reason, revision, state, type, author }: EventBody, at: number): string {
  return author === undefined ? [reason, revision, state, type].join(' ') : `by ${author} ${at}`;
}

/** The shortest turn that comes again there; a single one where none does. */
function turnsAt(keys: readonly string[], at: number): { turn: number; times: number } {
  for (let turn = 1; turn <= TURN_MAX; turn++) {
    let end = at + turn;
    while (end < keys.length && keys[end] === keys[end - turn]) end++;
    const times = Math.floor((end - at) / turn);
    if (times > 1) return { turn, times };
  }
  return { turn: 1, times: 1 };
}
