import type { Change } from './changes.ts';
import type { Exit } from './exits.ts';
import type { Frame } from './frame.ts';
import { type Lane, LETTER_PX, path, round, type Shape, text } from './shape.ts';
import type { Story } from './story.ts';

const DIAMOND = 'l5 6-5 6-5-6z';
const SMALL_DIAMOND = 'l5 5-5 5-5-5z';
/** Marks nearer than this are one. */
const SAME_PX = 4;

/** Changes that are too near to be told apart are one mark with the words of the first. */
export interface Mark {
  x: number;
  changes: readonly Change[];
}

export function marksOf(changes: readonly Change[], frame: Frame): Mark[] {
  const marks: { x: number; changes: Change[] }[] = [];
  for (const change of changes.filter(({ at }) => frame.has(at))) {
    const x = frame.x(change.at);
    const last = marks.at(-1);
    if (last !== undefined && x - last.x < SAME_PX) last.changes.push(change);
    else marks.push({ x, changes: [change] });
  }
  return marks;
}

/** The words of a mark stand where there is more room, and never reach the next one. */
export function changesLane(marks: readonly Mark[], frame: Frame): Lane {
  const shapes: Shape[] = [];
  let taken = frame.left;
  marks.forEach(({ x, changes }, at) => {
    shapes.push(path('tl-mark', `M${round(x)} 2${DIAMOND}`));
    const next = marks[at + 1];
    const roomRight = (next === undefined ? frame.width : next.x - 10) - x;
    const roomLeft = x - taken;
    const [first] = changes;
    const words =
      first === undefined ? '' : first.text + (changes.length > 1 ? ` +${changes.length - 1}` : '');
    const need = words.length * LETTER_PX + 16;
    const isRight = roomRight > need || (roomLeft < need && roomRight > roomLeft);
    const letters = Math.floor(((isRight ? roomRight : roomLeft) - 14) / LETTER_PX);
    const shown = cut(words, letters);
    if (shown !== '')
      shapes.push(text('tl-text', isRight ? x + 9 : x - 9, 12, shown, isRight ? 'start' : 'end'));
    taken = isRight && shown !== '' ? x + 14 + shown.length * LETTER_PX : x + 8;
  });
  return { label: 'Changes', height: 16, shapes };
}

export function revisionLane({ revisions, failed, knownFrom }: Story, frame: Frame): Lane {
  const shapes: Shape[] = [...unknownPart(knownFrom, frame)];
  for (const { from, to, revision, commit, isNow } of revisions) {
    if (to < frame.from || from > frame.to) continue;
    const [x, end] = [frame.x(from), frame.x(to)];
    const box = { x: round(x), y: 0, width: round(Math.max(1, end - x)), height: 18 };
    shapes.push({ kind: 'rect', class: isNow ? 'tl-rev now' : 'tl-rev', ...box });
    const name = end - x > 96 && commit !== '' ? `r${revision}  ${commit.slice(0, 7)}` : `r${revision}`;
    if (end - x > 30) shapes.push(text('tl-text', x + 6, 13, name));
  }
  for (const { at, revision } of failed.filter((one) => frame.has(one.at))) {
    const x = frame.x(at);
    const isRight = frame.right - x > 60;
    shapes.push(path('tl-mark bad', `M${round(x)} 3${DIAMOND}`));
    shapes.push(
      text('tl-text bad over', isRight ? x + 9 : x - 9, 13, `r${revision} fails`, isRight ? 'start' : 'end'),
    );
  }
  return { label: 'Revision', height: 18, shapes };
}

/** A run of a second between waits of a minute is a notch, not a band. */
export function stateLane({ states, knownFrom, unwatched }: Story, frame: Frame): Lane {
  const boxes: { x: number; end: number; role: string; state: string }[] = [];
  for (const { from, to, state, role } of states) {
    if (to < frame.from || from > frame.to) continue;
    const [x, end] = [frame.x(from), frame.x(to)];
    const last = boxes.at(-1);
    if (last !== undefined && last.role === role && last.state === state && x - last.end < 1.5)
      last.end = end;
    // What takes less than a part of a pixel is not seen behind what is there.
    else if (last === undefined || end - x > 0.3 || role === 'bad') boxes.push({ x, end, role, state });
  }
  const shapes: Shape[] = [...unknownPart(knownFrom, frame), ...unwatchedParts(unwatched, frame)];
  for (const { x, end, role, state } of boxes) {
    const width = Math.max(1.5, end - x);
    const box = { x: round(x), y: 0, width: round(width), height: 18 };
    shapes.push({ kind: 'rect', class: `tl-seg ${role}${width < 4 ? ' thin' : ''}`, ...box });
    if (role === 'bad') shapes.push({ kind: 'rect', class: '', ...box, isHatched: true });
    if (width > 7.5 * state.length + 8) shapes.push(text(`tl-text on ${role}`, x + 6, 13, state));
  }
  return { label: 'State', height: 18, shapes };
}

const NOBODY = 'no host looked';

/** Where nobody looked nothing is known; what is too short to be seen is not drawn. */
function unwatchedParts(unwatched: Story['unwatched'], frame: Frame): Shape[] {
  return unwatched.flatMap(({ from, to }): Shape[] => {
    const [x, end] = [frame.x(from), frame.x(to)];
    if (end - x < 1.5) return [];
    const box = { x: round(x), y: 0, width: round(end - x), height: 18 };
    const hatch: Shape = { kind: 'rect', class: 'tl-unwatched', ...box, isHatched: true };
    const isRoom = end - x > NOBODY.length * LETTER_PX + 12;
    return isRoom ? [hatch, text('tl-text faint over', x + 6, 13, NOBODY)] : [hatch];
  });
}

export function probeLane({ probes, knownFrom }: Story, frame: Frame, isAsked: boolean): Lane {
  const label = 'Probe';
  if (!isAsked)
    return { label, height: 12, shapes: [text('tl-text faint', frame.left + 4, 10, 'none is asked for')] };
  const shapes: Shape[] = [...unknownPart(knownFrom, frame, '')];
  for (const { from, to, probe } of probes) {
    if (to < frame.from || from > frame.to) continue;
    const x = frame.x(from);
    const end = Math.max(frame.x(to), x + 1);
    if (probe === 'answers') shapes.push(path('tl-probe good', `M${round(x)} 10H${round(end)}`));
    else if (probe === 'waits') shapes.push(path('tl-probe rest', `M${round(x)} 10H${round(end)}`));
    else shapes.push(path('tl-probe bad', comb(x, end)));
  }
  return { label, height: 12, shapes };
}

function comb(from: number, to: number): string {
  let d = '';
  for (let x = from; x <= to; x += 4) d += `M${round(x)} 1v10`;
  return d;
}

/** A series of the same is told once. */
export function exitLane(exits: readonly Exit[], knownFrom: number | undefined, frame: Frame): Lane {
  const series: { what: string; xs: number[]; isGood: boolean }[] = [];
  for (const { at, what, isGood } of exits.filter((one) => frame.has(one.at))) {
    const last = series.at(-1);
    if (last?.what === what) last.xs.push(frame.x(at));
    else series.push({ what, xs: [frame.x(at)], isGood });
  }
  const shapes: Shape[] = [];
  series.forEach(({ what, xs, isGood }, at) => {
    const tone = isGood ? 'good' : 'bad';
    const [first, last] = [xs[0] ?? 0, xs.at(-1) ?? 0];
    shapes.push(path(`tl-exit-line ${tone}`, `M${round(first)} 9H${round(last)}`));
    shapes.push(path(`tl-exit ${tone}`, diamonds(xs)));
    const words = xs.length > 1 ? `${what}, ×${xs.length}` : what;
    const need = words.length * LETTER_PX + 14;
    const before = series[at - 1]?.xs.at(-1) ?? frame.left;
    const next = series[at + 1]?.xs[0] ?? frame.width;
    const isBefore = first - before > need;
    if (isBefore || next - last > need)
      shapes.push(
        text(`tl-text ${tone}`, isBefore ? first - 10 : last + 10, 13, words, isBefore ? 'end' : 'start'),
      );
  });
  if (series.length === 0)
    shapes.push(
      text('tl-text faint', frame.left + 4, 13, knownFrom === undefined ? 'none is known' : 'none'),
    );
  return { label: 'Exits', height: 18, shapes };
}

function diamonds(xs: readonly number[]): string {
  let d = '';
  let drawn = Number.NEGATIVE_INFINITY;
  for (const x of xs) {
    if (x - drawn < 9) continue;
    d += `M${round(x)} 4${SMALL_DIAMOND}`;
    drawn = x;
  }
  return d;
}

/** Where events do not reach back nothing is drawn, and that is said. */
function unknownPart(knownFrom: number | undefined, frame: Frame, words = 'no events from before'): Shape[] {
  const end = knownFrom === undefined ? frame.right : frame.x(knownFrom);
  const shown = knownFrom === undefined ? 'no events' : words;
  const isRoom = end - frame.left > shown.length * LETTER_PX + 12;
  return isRoom && words !== '' ? [text('tl-text faint', frame.left + 4, 13, shown)] : [];
}

function cut(words: string, letters: number): string {
  if (letters <= 5) return '';
  return words.length <= letters ? words : `${words.slice(0, letters - 1)}…`;
}
