import type { LogLine, LogRun } from '../../../../schemas/log-line.ts';
import { clock, exactSpan } from '../../words/span.ts';

/** What stands in a log: lines, and between them what is to be said of runs and gaps. */
export type LogRow =
  | { kind: 'line'; line: LogLine; text: string; ms: number }
  | { kind: 'begins' | 'ends' | 'kept'; run: LogRun }
  | { kind: 'says'; text: string };

/** A line, or a gap, as they come. */
export type LogItem = LogLine | { gap: string };

/** How times are shown. */
export type TimeMode = 'clock' | 'run' | 'none';

/**
 * The rows of what comes behind a line, with the borders of runs between.
 * @param before the run of the line before; undefined where none stands there: then no border comes first
 */
export function rowsOf(
  items: readonly LogItem[],
  runs: readonly LogRun[],
  before: string | undefined,
): LogRow[] {
  const rows: LogRow[] = [];
  let last = before;
  for (const item of items) {
    if ('gap' in item) {
      rows.push({ kind: 'says', text: item.gap });
      continue;
    }
    const run = item.run ?? last;
    if (last !== undefined && run !== undefined) rows.push(...bordersBetween(last, run, runs));
    last = run;
    rows.push({ kind: 'line', line: item, text: plainText(item.text), ms: Date.parse(item.time) });
  }
  return rows;
}

/**
 * What is to be said of runs between two lines: how the one ended, those that printed nothing, how the other begins.
 * @param before the run of the line before; undefined: from the first that is known
 * @param next the run of the line behind; undefined: to the last that is known
 */
export function bordersBetween(
  before: string | undefined,
  next: string | undefined,
  runs: readonly LogRun[],
): LogRow[] {
  if (before !== undefined && before === next) return [];
  const from = runs.findIndex(({ id }) => id === before);
  const to = next === undefined ? runs.length : runs.findIndex(({ id }) => id === next);
  const rows: LogRow[] = [];
  const first = runs[from];
  if (first !== undefined && first.finished !== null) rows.push({ kind: 'ends', run: first });
  // A run that is not known, or stands before: nothing can be said of what lies between.
  for (const run of runs.slice(from + 1, Math.max(from + 1, to))) {
    rows.push({ kind: 'begins', run });
    if (run.kept !== null && run.kept !== '') rows.push({ kind: 'kept', run });
    if (run.finished !== null) rows.push({ kind: 'ends', run });
  }
  const last = runs[to];
  if (last !== undefined && to > from) rows.push({ kind: 'begins', run: last });
  return rows;
}

/** Those that are known by now, the newest word on each, oldest first. */
export function mergeRuns(known: readonly LogRun[], news: readonly LogRun[]): LogRun[] {
  const all = new Map([...known, ...news].map((run) => [run.id, run]));
  return [...all.values()].sort((a, b) => Date.parse(a.started) - Date.parse(b.started));
}

const ESCAPES =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|(?![[\]PX^_])[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]/g;
const CONTROLS = /[\x00-\x08\x0a-\x1f]/g;

/** Without what would colour it in a terminal; other signs that are none to read have their pictures. */
export function plainText(text: string): string {
  if (!/[\x00-\x1f\x9b]/.test(text)) return text;
  return text
    .replace(/\r$/, '')
    .replace(ESCAPES, '')
    .replace(CONTROLS, (sign) => String.fromCharCode(0x2400 + sign.charCodeAt(0)));
}

/** `03:12:44.120`, or `+  12.3` since the start of its run. @param startMs of its run; undefined where not known */
export function stampOf(mode: TimeMode, ms: number, startMs: number | undefined): string {
  if (mode === 'none') return '';
  if (mode === 'run')
    return startMs === undefined ? '–' : `+${((ms - startMs) / 1000).toFixed(1).padStart(6)}`;
  return `${clock(ms)}.${String(Math.floor(ms) % 1000).padStart(3, '0')}`;
}

/** Of a border: its words before and behind the firm ones, and its time. */
export function borderWords({ kind, run }: Extract<LogRow, { run: LogRun }>): {
  who: string;
  says: string;
  firm: string;
  rest: string;
  time: string;
  isBad: boolean;
} {
  const who = run.revision === null ? 'A run' : `A run of r${run.revision}`;
  if (kind === 'begins') return { who, says: ' begins', firm: '', rest: '', time: run.started, isBad: false };
  const ended = run.finished ?? '';
  if (kind === 'kept')
    return {
      who,
      says: ': the last lines, which the host has kept',
      firm: '',
      rest: '',
      time: '',
      isBad: false,
    };
  const ms = Date.parse(ended) - Date.parse(run.started);
  const after = ms >= 0 ? ` after ${exactSpan(ms)}` : '';
  // It was asked to end, and did.
  const isBad = run.exit_code !== null && run.exit_code !== 0 && run.exit_code !== 128 + 15;
  return { who, says: ' ended: ', firm: run.exit || 'how is not known', rest: after, time: ended, isBad };
}

/** Epoch nanoseconds of a line, as its id has them, for `since`; undefined for what is no id. */
export function nanosOfId(id: string): string | undefined {
  return /^[0-9a-z]{1,12}\.(\d{1,19})\.[oex]\.\d{1,9}$/.exec(id)?.[1];
}
