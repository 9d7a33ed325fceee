import { count } from '../../words/span.ts';
import { KEYS, matcher } from './filter.ts';
import type { Figures, Seen } from './seen.ts';

/** What can be taken into the search field, and what it is or how many it matches. */
export interface Hint {
  text: string;
  note: string;
}

const HINTS_MAX = 8;

/** For the word that is being typed at the end of `text`. */
export function hintsFor(
  text: string,
  all: readonly Seen[],
  figuresOf: (name: string) => Figures,
): readonly Hint[] {
  const [, no = '', key = '', value] = /(?:^|\s)(-?)([a-z]*)(?::(\S*))?$/.exec(text) ?? [
    undefined,
    undefined,
    '\n',
  ];
  const found = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
  if (value === undefined || found === undefined)
    return value === undefined
      ? Object.entries(KEYS)
          .filter(([name]) => name.startsWith(key))
          .map(([name, { says }]) => ({ text: `${no}${name}:`, note: says }))
      : [];
  return found
    .values(all)
    .filter((one) => one.toLowerCase().startsWith(value.toLowerCase()))
    .slice(0, HINTS_MAX)
    .map((one) => {
      const token = `${no}${key}:${one}`;
      const matches = matcher({ tokens: [token], words: [] });
      return { text: token, note: count(all.filter((p) => matches(p, () => figuresOf(p.name))).length) };
    });
}
