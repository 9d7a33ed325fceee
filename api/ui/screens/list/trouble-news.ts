import { isTrouble } from '../../words/kind.ts';
import { wordsOf } from '../../words/reasons.ts';
import type { Seen } from './seen.ts';

/** More than this at once are said as a number. */
const NAMED_MAX = 3;

/**
 * Tells what came into trouble, or out of it. What is on the way is neither: what was in trouble is so until it serves
 * or rests, or each try of a program that keeps exiting would be told twice.
 */
export class TroubleNews {
  #ill: Set<string> | undefined;

  /** @returns what to announce; `""` for nothing, and the first time */
  take(all: readonly Seen[]): string {
    const before = this.#ill;
    const ill = all.filter(
      ({ name, kind }) => isTrouble(kind) || (kind === 'busy' && before?.has(name) === true),
    );
    this.#ill = new Set(ill.map(({ name }) => name));
    if (before === undefined) return '';
    const there = new Set(all.map(({ name }) => name));
    const came = ill.filter(({ name }) => !before.has(name));
    const went = [...before].filter((name) => there.has(name) && this.#ill?.has(name) !== true);
    return [cameText(came), wentText(went)].filter((text) => text !== '').join('. ');
  }
}

function cameText(came: readonly Seen[]): string {
  if (came.length > NAMED_MAX) return `${came.length} programs are in trouble now`;
  return came
    .map(
      ({ name, p, kind }) =>
        `${name} ${kind === 'down' ? 'is down' : 'needs a look'}: ${wordsOf(p)?.brief(p) ?? p.state}`,
    )
    .join('. ');
}

function wentText(went: readonly string[]): string {
  if (went.length > NAMED_MAX) return `${went.length} programs are out of trouble`;
  return went.map((name) => `${name} is out of trouble`).join('. ');
}
