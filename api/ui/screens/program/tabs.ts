import type { ProgramBody } from '../../../routes/view.ts';
import { isNews, reasonOf } from '../../words/kind.ts';
import { wordsOf } from '../../words/reasons.ts';

/** The parts of a program's page, in the order of their keys. */
export const TABS = [
  ['logs', 'Logs'],
  ['build', 'Build log'],
  ['events', 'Events'],
  ['manifest', 'Manifest'],
  ['revisions', 'Revisions'],
  ['source', 'Sources'],
  ['watcher', 'Watcher'],
] as const;

export type Tab = (typeof TABS)[number][0];

export function tabOf(key: string | null): Tab {
  return TABS.find(([one]) => one === key)?.[0] ?? 'logs';
}

/** The part that is at fault itself, and not only where to look. */
export function faultyTab(p: ProgramBody): Tab | undefined {
  const look = isNews(reasonOf(p)) ? undefined : wordsOf(p)?.look;
  return look === 'build' || look === 'manifest' || look === 'revisions' ? look : undefined;
}

/** Parts that a stretch of the timeline limits. */
export function isOfTime(tab: Tab): boolean {
  return tab === 'logs' || tab === 'events';
}

/** What `from` and `to` of the URL say; undefined where that is no stretch. */
export function stretchOf(params: URLSearchParams): { from: number; to: number } | undefined {
  const [from, to] = [Number(params.get('from') ?? Number.NaN), Number(params.get('to') ?? Number.NaN)];
  return from < to ? { from, to } : undefined;
}
