import { KINDS, type Kind } from '../../words/kind.ts';
import type { Figures, Seen } from './seen.ts';

export type SortKey = 'state' | 'since' | 'name' | 'user' | 'cpu' | 'mem' | 'restarts' | 'rev' | 'port';

/** `isTurned`: the other way round than it begins. */
export interface Sort {
  by: SortKey;
  isTurned: boolean;
}

const rank = new Map<Kind, number>(KINDS.map(({ kind }, at) => [kind, at]));

type Value = (one: Seen, figures: () => Figures) => string | number;

const VALUES: Record<SortKey, Value> = {
  state: ({ kind }) => rank.get(kind) ?? 0,
  since: ({ since }) => since,
  name: ({ name }) => name,
  user: ({ p }) => p.user_id,
  cpu: (_, figures) => figures().cpu ?? -1,
  mem: (_, figures) => figures().memory ?? -1,
  restarts: ({ p }) => p.restart_count,
  rev: ({ p }) => p.revision,
  port: ({ port }) => port,
};

/** Figures begin with the greatest, names with the first. */
const GREATEST_FIRST: ReadonlySet<SortKey> = new Set(['cpu', 'mem', 'restarts', 'rev', 'since']);

/** @param text of the URL: `mem`, `-mem`; what is no column is by state */
export function sortOf(text: string): Sort {
  const by = text.replace(/^-/, '');
  return Object.hasOwn(VALUES, by)
    ? { by: by as SortKey, isTurned: text.startsWith('-') }
    : { by: 'state', isTurned: false };
}

/** For the URL; `""` is how the list begins. @param by the column that was clicked: a second click turns it round */
export function sortText(now: Sort, by: SortKey): string {
  if (now.by !== by) return by === 'state' ? '' : by;
  return now.isTurned ? (by === 'state' ? '' : by) : `-${by}`;
}

export function isDown({ by, isTurned }: Sort): boolean {
  return GREATEST_FIRST.has(by) !== isTurned;
}

/** What is wrong or on the way: the newest first. What is well: by name. */
const isNewestFirst = ({ kind }: Seen) => kind === 'down' || kind === 'look' || kind === 'busy';

export function sorted(all: readonly Seen[], sort: Sort, figuresOf: (name: string) => Figures): Seen[] {
  const value = VALUES[sort.by];
  const values = new Map(all.map((one) => [one, value(one, () => figuresOf(one.name))]));
  const sign = isDown(sort) ? -1 : 1;
  return [...all].sort((a, b) => {
    const [x, y] = [values.get(a) ?? 0, values.get(b) ?? 0];
    if (x !== y) return x < y ? -sign : sign;
    if (sort.by === 'state' && isNewestFirst(a) && a.since !== b.since) return b.since - a.since;
    return a.name < b.name ? -1 : 1;
  });
}
