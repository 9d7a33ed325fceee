import type { NamedEvent } from '../../schemas/program.ts';

/**
 * How far a client of the feed has read, as its messages' ids say it: `<boot>-<seq>-<ms>~<names>`. As long as that host
 * runs, its number says it; after that, what the disk has is compared with the time of the newest event that was sent.
 */
export interface FeedMark {
  /** Tells hosts' runs apart; `FOREIGN` for what none has numbered. */
  boot: string;
  /** Counts messages. */
  seq: number;
  /** Time of the newest event that was sent, epoch milliseconds. */
  ms: number;
  /** The programs whose events of that time were sent, one for each event. */
  names: readonly string[];
}

export const FOREIGN = 'x';

export function idOf({ boot, seq, ms, names }: FeedMark): string {
  return `${boot}-${seq}-${ms}~${names.join(',')}`;
}

/** Undefined for none, or for what is none of ours: its client begins anew. */
export function parseId(id: string | undefined): FeedMark | undefined {
  const [, boot, seq, ms, names = ''] =
    /^([0-9a-z]{1,12})-(\d{1,15})-(\d{1,15})~([A-Za-z0-9._,-]*)$/.exec(id ?? '') ?? [];
  if (boot === undefined) return undefined;
  return { boot, seq: Number(seq), ms: Number(ms), names: names === '' ? [] : names.split(',') };
}

/** The mark of a message that tells of that event, or of none. */
export function markAfter(mark: FeedMark, told?: NamedEvent): FeedMark {
  if (told === undefined) return mark;
  const ms = Date.parse(told.event.time);
  if (ms > mark.ms) return { ...mark, ms, names: [told.name] };
  return ms === mark.ms ? { ...mark, names: [...mark.names, told.name] } : mark;
}

/** For a filter of kept events, in their order: what the client of that mark was not told yet. */
export function isNotSent({ ms, names }: FeedMark): (kept: NamedEvent) => boolean {
  const sent = [...names];
  return ({ name, event }) => {
    const at = Date.parse(event.time);
    if (at !== ms) return at > ms;
    const index = sent.indexOf(name);
    if (index === -1) return true;
    sent.splice(index, 1);
    return false;
  };
}
