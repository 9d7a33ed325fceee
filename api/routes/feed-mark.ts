import type { NamedEvent } from '../../schemas/program.ts';

/**
 * How far a client of the feed has read, as its messages' ids say it: `<boot>-<seq>-<ms>~<names>`, each name with
 * `*<count>` behind it where it stands for several. As long as that host
 * runs, its number says it; after that, what the disk has is compared with the time of the newest event that was sent.
 */
export interface FeedMark {
  /** Tells hosts' runs apart; `FOREIGN` for what none has numbered. */
  boot: string;
  /** Counts messages. */
  seq: number;
  /** Time of the newest event that was sent, epoch milliseconds. */
  ms: number;
  /** The programs whose events of that time were sent, with how many of each. */
  names: ReadonlyMap<string, number>;
}

export const FOREIGN = 'x';

export function idOf({ boot, seq, ms, names }: FeedMark): string {
  const told = [...names].map(([name, count]) => (count === 1 ? name : `${name}*${count}`));
  return `${boot}-${seq}-${ms}~${told.join(',')}`;
}

/** Undefined for none, or for what is none of ours: its client begins anew. */
export function parseId(id: string | undefined): FeedMark | undefined {
  const [, boot, seq, ms, names = ''] =
    /^([0-9a-z]{1,12})-(\d{1,15})-(\d{1,15})~((?:[A-Za-z0-9._-]+(?:\*\d{1,15})?(?:,|$))*)$/.exec(id ?? '') ??
    [];
  if (boot === undefined) return undefined;
  return { boot, seq: Number(seq), ms: Number(ms), names: countsIn(names) };
}

/** A name may stand there more than once, as older hosts wrote them. */
function countsIn(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const part of text === '' ? [] : text.split(',')) {
    const [name = '', count = '1'] = part.split('*');
    counts.set(name, (counts.get(name) ?? 0) + Number(count));
  }
  return counts;
}

/** The mark of a message that tells of that event, or of none. */
export function markAfter(mark: FeedMark, told?: NamedEvent): FeedMark {
  if (told === undefined) return mark;
  const ms = Date.parse(told.event.time);
  if (ms > mark.ms) return { ...mark, ms, names: new Map([[told.name, 1]]) };
  if (ms < mark.ms) return mark;
  return { ...mark, names: new Map(mark.names).set(told.name, (mark.names.get(told.name) ?? 0) + 1) };
}

/** For a filter of kept events, in their order: what the client of that mark was not told yet. */
export function isNotSent({ ms, names }: FeedMark): (kept: NamedEvent) => boolean {
  const sent = new Map(names);
  return ({ name, event }) => {
    const at = Date.parse(event.time);
    if (at !== ms) return at > ms;
    const left = sent.get(name) ?? 0;
    if (left === 0) return true;
    sent.set(name, left - 1);
    return false;
  };
}
