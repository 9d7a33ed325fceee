import { span, withClocks } from './span.ts';

/**
 * Text with more in it than letters, as data: what the page says is written without knowing how it is drawn, and can
 * be tested. `parts/says.tsx` draws it, `plain` makes one line of it.
 */
export type Words = string | Piece | readonly Words[];

export type Piece =
  /** Of a file, an address, a field. */
  | { mono: string }
  /** To be taken away: a command. */
  | { copy: string }
  | { firm: string }
  /** Still to come, or past, epoch milliseconds: `in 41 s`, `3 min ago`. */
  | { in: number }
  | { ago: number }
  | { link: string; to: string };

/** For a title, an announcement, a report. @param nowMs epoch milliseconds */
export function plain(words: Words, nowMs: number): string {
  if (typeof words === 'string') return withClocks(words, nowMs);
  if (isMany(words)) return words.map((one) => plain(one, nowMs)).join('');
  if ('mono' in words) return withClocks(words.mono, nowMs);
  if ('copy' in words) return words.copy;
  if ('firm' in words) return words.firm;
  if ('link' in words) return words.link;
  if ('in' in words) return soon(words.in, nowMs);
  return ago(words.ago, nowMs);
}

export function isMany(words: Words): words is readonly Words[] {
  return Array.isArray(words);
}

/** `in 41 s`; `now` for what is due. */
export function soon(ms: number, nowMs: number): string {
  return ms - nowMs < 500 ? 'now' : `in ${span(ms - nowMs)}`;
}

/** `3 min ago` */
export function ago(ms: number, nowMs: number): string {
  return nowMs - ms < 1_000 ? 'just now' : `${span(nowMs - ms)} ago`;
}
