/**
 * What a program's WatcherAPI answers, for people. Names of fields differ from version to version of the framework: what
 * comes is shown, whatever it is called.
 */

/** A name and its value as text; null: it has none yet. */
export interface Pair {
  name: string;
  text: string | null;
}

/** An entry of a list: of what kind, what it says, and when it was. */
export interface Listed {
  kind: string;
  text: string;
  ms: number | undefined;
}

export interface Part {
  pairs: Pair[];
  listed: Listed[];
}

/** Said of each answer, and nothing of the program. */
const OF_THE_ANSWER = new Set(['timestamp', 'count']);
/** Values that are longer than this fold, in characters. */
export const LONG = 44;

/** The pairs of an answer, those within it too, and what it lists. */
export function partOf(answer: unknown): Part {
  const part: Part = { pairs: [], listed: [] };
  for (const [name, value] of Object.entries(recordOf(answer))) {
    if (OF_THE_ANSWER.has(name)) continue;
    if (Array.isArray(value)) {
      if (value.every((one) => typeof one === 'string'))
        part.pairs.push(...value.map((one) => ({ name: one, text: null })));
      else part.listed.push(...value.map(listedOf));
    } else if (typeof value === 'object' && value !== null)
      part.pairs.push(...Object.entries(value).map(([inner, one]) => pairOf(inner, one)));
    else part.pairs.push(pairOf(name, value));
  }
  return part;
}

/** Variables by name: those that have values, and those that are watched and have none here. */
export function variablesOf(states: unknown, watched: unknown): Pair[] {
  const all = new Map<string, Pair>();
  for (const pair of [...partOf(watched).pairs, ...partOf(states).pairs])
    if (pair.text !== null || !all.has(pair.name)) all.set(pair.name, pair);
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function pairOf(name: string, value: unknown): Pair {
  return { name, text: value === null || value === undefined ? null : textOf(value) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listedOf(entry: unknown): Listed {
  if (typeof entry !== 'object' || entry === null) return { kind: '', text: textOf(entry), ms: undefined };
  const fields = Object.values(entry);
  const time = fields.find((value) => typeof value === 'string' && timeOf(value) !== undefined);
  const [kind = '', ...rest] = fields.filter((value) => value !== time).map(textOf);
  return { kind, text: rest.join(' '), ms: typeof time === 'string' ? timeOf(time) : undefined };
}

/** Epoch milliseconds of what is a time of RFC 3339; undefined for all else, and for Go's time of none. */
export function timeOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) || text.startsWith('0001-')) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `5h31m2s`: without the nanoseconds that Go prints. */
export function uptimeOf(text: string): string {
  return text.replace(/\.\d+(?=s$)/, '');
}

/** JSON in lines; other text as it is. */
export function prettyOf(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Remembers when values changed. */
export class Changes {
  #known = new Map<string, { text: string | null; changedMs: number | undefined }>();

  /** @returns when it changed last, epoch milliseconds; undefined where it was not seen to */
  note(key: string, text: string | null, nowMs: number): number | undefined {
    const known = this.#known.get(key);
    if (known?.text === text) return known.changedMs;
    const changedMs = known === undefined ? undefined : nowMs;
    this.#known.set(key, { text, changedMs });
    return changedMs;
  }
}
