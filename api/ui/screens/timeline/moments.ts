import { clock, exactSpan, mebi, percent } from '../../words/span.ts';
import type { Exit } from './exits.ts';
import { type Figures, figureAt } from './figures.ts';
import type { Frame } from './frame.ts';
import type { Story } from './story.ts';

/** Something that happened, as the keyboard goes from one to the next. */
export interface Moment {
  at: number;
  /** `commit 7d6a65f by ana` */
  text: string;
}

/** Of the time that is shown, oldest first. */
export function momentsOf(story: Story, { has }: Pick<Frame, 'has'>): Moment[] {
  const all: Moment[] = [
    ...story.changes.map(({ at, text }) => ({ at, text })),
    ...story.failed.map(({ at, revision, message }) => ({
      at,
      text: `r${revision} begins, and fails${message === '' ? '' : `: ${message}`}`,
    })),
    ...story.revisions.map(({ from, revision }) => ({ at: from, text: `r${revision} from here on` })),
    ...story.states.map(({ from, state }) => ({ at: from, text: state })),
    ...story.unwatched.map(({ from }) => ({
      at: from,
      text: 'nobody looks from here on: no host, or no engine',
    })),
    ...story.exits.map((exit) => ({ at: exit.at, text: exitSays(exit) })),
  ];
  return all.filter(({ at }) => has(at)).sort((a, b) => a.at - b.at);
}

export function exitSays({ at, what, from }: Exit): string {
  return from === undefined ? `ended: ${what}` : `ended after ${exactSpan(at - from)}: ${what}`;
}

/** How all lanes stand at one time, in pieces. */
export function readingOf(story: Story, figures: Figures, time: number): string[] {
  // The picture ends some moments behind what is known.
  const ends = [story.states.at(-1), story.unwatched.at(-1)].flatMap((last) => last?.to ?? []);
  const known = Math.min(time, Math.max(...(ends.length === 0 ? [time] : ends)) - 1);
  const at = <T extends { from: number; to: number }>(list: readonly T[]) =>
    list.findLast(({ from, to }) => from <= known && known < to);
  const state = at(story.states);
  if (at(story.unwatched) !== undefined) return ['nobody looked: no host ran, or the engine was away'];
  const revision = at(story.revisions);
  const probe = at(story.probes);
  const memory = figureAt(figures, 'memory', time);
  const cpu = figureAt(figures, 'cpu', time);
  return [
    state?.state ?? '–',
    revision === undefined ? '' : `r${revision.revision}`,
    probe === undefined ? '' : PROBE[probe.probe],
    memory === null
      ? 'memory –'
      : mebi(memory) + (figures.memoryLimit === null ? '' : ` of ${mebi(figures.memoryLimit)}`),
    cpu === null ? '' : `${percent(cpu)} CPU`,
  ].filter((piece) => piece !== '');
}

const PROBE = { answers: 'probe answers', fails: 'probe fails', waits: 'not ready yet' } as const;

/** What happened there, with its time: `03:12:44, commit 7d6a65f by ana. Ready, r6, …`. */
export function sentenceOf({ at, text }: Moment, reading: readonly string[]): string {
  return `${clock(at)}, ${text}. ${reading.join(', ')}`;
}

/** The moment that is meant by a place: the nearest within some pixels. */
export function momentNear(moments: readonly Moment[], time: number, withinMs: number): Moment | undefined {
  let best: Moment | undefined;
  for (const moment of moments) {
    const distance = Math.abs(moment.at - time);
    if (distance <= withinMs && (best === undefined || distance < Math.abs(best.at - time))) best = moment;
  }
  return best;
}
