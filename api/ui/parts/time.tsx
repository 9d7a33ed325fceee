import { now } from '../state/now.ts';
import { exactTime, span } from '../words/span.ts';
import { ago, soon } from '../words/words.ts';

type How =
  /** `3 min ago` */
  | 'ago'
  /** `3 min`: for how long. */
  | 'for'
  /** `in 41 s` */
  | 'in';

/** A time that stays true; what it is exactly is its title. @param at epoch milliseconds; undefined is "–" */
export function Time({ at, how = 'ago' }: { at: number | undefined; how?: How }) {
  if (at === undefined) return <Unknown why="not known" />;
  const nowMs = now.value;
  const text = how === 'in' ? soon(at, nowMs) : how === 'for' ? span(nowMs - at) : ago(at, nowMs);
  return (
    <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
      {text}
    </time>
  );
}

/** What is not known, and why. */
export function Unknown({ why }: { why: string }) {
  return (
    <span class="none" title={why}>
      –
    </span>
  );
}
