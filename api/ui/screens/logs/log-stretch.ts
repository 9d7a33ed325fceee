import type { LogLine } from '../../../../schemas/log-line.ts';
import type { Client, LogPageBody } from '../../../client.ts';

/** Pages, each of 10,000 lines at most, that are gone through backwards for a moment of the past. */
const PAGES_MAX = 6;

/** What was printed since a time: its oldest lines, and not its newest, which is what the host gives. */
export interface Whole extends LogPageBody {
  /** Whether newer ones are left off. */
  isCut: boolean;
}

/** @param wish.since as the API takes it, @param wish.to epoch milliseconds: nothing newer, @param wish.linesMax of those */
export async function wholeOf(
  client: Pick<Client, 'logs'>,
  name: string,
  { since, to, linesMax }: { since: string; to: number | undefined; linesMax: number },
): Promise<Whole> {
  const isIn = ({ time }: LogLine) => to === undefined || Date.parse(time) <= to;
  const newest = await client.logs(name, { since, tail: 'all' });
  let page = newest;
  let lines = page.lines.filter(isIn);
  let isCut = lines.length < page.lines.length || lines.length > linesMax;
  for (let pages = 1; page.more && page.before !== null && pages < PAGES_MAX; pages++) {
    page = await client.logs(name, { since, before: page.before, tail: 'all' });
    const older = page.lines.filter(isIn);
    isCut ||= older.length < page.lines.length || older.length + lines.length > linesMax;
    lines = [...older, ...lines].slice(0, linesMax);
  }
  const note = page.more ? 'More was printed since then than is gone through: older lines are there.' : '';
  return { ...newest, lines: lines.slice(0, linesMax), runs: newest.runs, before: page.before, note, isCut };
}
