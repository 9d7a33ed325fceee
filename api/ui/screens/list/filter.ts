import { KINDS } from '../../words/kind.ts';
import type { Figures, Seen } from './seen.ts';

/** What stands in the search field: `user:ana -state:Ready mem:>85`, and words. */
export interface Query {
  tokens: readonly string[];
  words: readonly string[];
}

interface Key {
  /** What it is, for the list of hints. */
  says: string;
  /** What can be said of it, where that is known. */
  values: (all: readonly Seen[]) => string[];
  matches: (one: Seen, value: string, figures: () => Figures) => boolean;
  /** Several of it narrow, as `mem:>50 mem:<85`; of others any will do. */
  isNumber?: true;
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
const unique = (all: readonly string[]) => [...new Set(all)].filter((one) => one !== '').sort();
const part = (found: number | null, value: string) => found !== null && compare(found * 100, value);
const short = (commit: string | null) => (commit ?? '').slice(0, 7);

export const KEYS: Readonly<Record<string, Key>> = {
  is: {
    says: 'kind',
    values: () => KINDS.map(({ kind }) => kind),
    matches: ({ kind }, value) => kind === value,
  },
  state: {
    says: 'state',
    values: (all) => unique(all.map(({ p }) => p.state)),
    matches: ({ p }, value) => same(p.state, value),
  },
  user: {
    says: 'user',
    values: (all) => unique(all.map(({ p }) => p.user_id)),
    matches: ({ p }, value) => same(p.user_id, value),
  },
  reason: {
    says: 'reason',
    values: (all) => unique(all.map(({ reason }) => reason)),
    matches: ({ reason }, value) => same(reason, value),
  },
  commit: {
    says: 'commit that serves, or is wanted',
    values: (all) => unique(all.map(({ p }) => short(p.commit))),
    matches: ({ p }, value) =>
      [p.commit, p.wanted_commit].some((commit) => commit?.startsWith(value.toLowerCase()) === true),
  },
  port: { says: 'port', values: () => [], matches: ({ port }, value) => String(port) === value },
  runtime: {
    says: 'runtime',
    values: (all) => unique(all.map(({ p }) => p.runtime)),
    matches: ({ p }, value) => same(p.runtime, value),
  },
  mem: {
    says: 'memory, % of limit',
    values: () => ['>50', '>85'],
    matches: (_, value, figures) => part(figures().memory, value),
    isNumber: true,
  },
  cpu: {
    says: 'CPU, % of limit',
    values: () => ['>50', '>85'],
    matches: (_, value, figures) => part(figures().cpu, value),
    isNumber: true,
  },
  restarts: {
    says: 'restarts',
    values: () => ['>0', '>5'],
    matches: ({ p }, value) => compare(p.restart_count, value),
    isNumber: true,
  },
};

/** @param text `>85`, `<3` or `7`; anything else matches nothing */
function compare(n: number, text: string): boolean {
  const [, sign, number] = /^([<>]?)(\d+)$/.exec(text) ?? [];
  if (number === undefined) return false;
  if (sign === '>') return n > Number(number);
  return sign === '<' ? n < Number(number) : Math.round(n) === Number(number);
}

/** `-user:ana` in its parts; undefined for what is no token. */
export function partsOf(token: string): { no: boolean; key: string; value: string } | undefined {
  const [, minus, key = '', value = ''] = /^(-?)([a-z]+):(.+)$/.exec(token) ?? [];
  return minus === undefined || !Object.hasOwn(KEYS, key) ? undefined : { no: minus === '-', key, value };
}

export function parseQuery(text: string): Query {
  const all = text.split(/\s+/).filter((one) => one !== '');
  const isToken = (one: string) => partsOf(one) !== undefined;
  return { tokens: [...new Set(all.filter(isToken))], words: all.filter((one) => !isToken(one)) };
}

export function queryText({ tokens, words }: Query): string {
  return [...tokens, ...words].join(' ');
}

/** Whether matching takes figures, which change by themselves. */
export function needsFigures({ tokens }: Query): boolean {
  return tokens.some((token) => /^-?(mem|cpu):/.test(token));
}

/** A token that is still being typed, as `user:`, filters nothing. */
const isUnfinished = (word: string) =>
  /^-?[a-z]+:$/.test(word) && Object.hasOwn(KEYS, word.replace(/^-|:$/g, ''));

/** @returns what tells of one whether it matches */
export function matcher({ tokens, words }: Query): (one: Seen, figures: () => Figures) => boolean {
  const rules = new Map<string, string[]>();
  const all = tokens.flatMap((token) => partsOf(token) ?? []);
  for (const { no, key, value } of all)
    if (!no && KEYS[key]?.isNumber !== true) rules.set(key, [...(rules.get(key) ?? []), value]);
  const each = all.filter(({ no, key }) => no || KEYS[key]?.isNumber === true);
  const sought = words.filter((word) => !isUnfinished(word)).map((word) => word.toLowerCase());
  return (one, figures) =>
    [...rules].every(([key, values]) => values.some((value) => KEYS[key]?.matches(one, value, figures))) &&
    each.every(({ no, key, value }) => KEYS[key]?.matches(one, value, figures) !== no) &&
    sought.every((word) => one.text.includes(word));
}

/** The tokens with this one, in the place of others of its key; without it where it was there. */
export function turned(tokens: readonly string[], token: string): string[] {
  if (tokens.includes(token)) return tokens.filter((one) => one !== token);
  const key = token.split(':', 1)[0] ?? '';
  return [...tokens.filter((one) => one.split(':', 1)[0] !== key), token];
}
