import type { LogLine, LogMessage, LogRun } from '../../../../schemas/log-line.ts';
import { ApiError, type Client } from '../../../client.ts';
import { type LogItem, mergeRuns, nanosOfId } from './log-rows.ts';
import { wholeOf } from './log-stretch.ts';

/** Lines that are held at a time. */
export const LINES_MAX = 5_000;
/** Lines that are asked for first, and as one more page. */
export const PAGE_LINES = 500;
/** Lines before the one that is looked for. */
const BEFORE_LINES = 200;

/** Where a log is opened. */
export type Place =
  | { at: 'end' }
  /** A moment, epoch milliseconds. */
  | { at: 'time'; ms: number }
  | { at: 'stretch'; from: number; to: number }
  | { at: 'line'; id: string };

export interface LogState {
  phase: 'loading' | 'open' | 'failed';
  /** Why it failed, or what the host says of what is not there. */
  note: string;
  runs: readonly LogRun[];
  /** `over`: nothing comes, until it runs again. `none`: not followed, as it stands. */
  link: 'live' | 'lost' | 'over' | 'none';
  why: string;
  hasOlder: boolean;
  /** Why older ones can not be had, or both `""`. */
  olderNote: string;
  isLoadingOlder: boolean;
  /** Whether the newest line is held, so that what comes goes behind it. */
  hasEnd: boolean;
  /** Lines that came while the view stood still. */
  unseen: number;
  /** Lines that were held and are not any more. */
  letGo: number;
}

export const EMPTY: LogState = {
  ...{ phase: 'loading', note: '', runs: [], link: 'none', why: '' },
  ...{ hasOlder: false, olderNote: '', isLoadingOlder: false, hasEnd: true, unseen: 0, letGo: 0 },
};

/** Where the lines are shown. */
export interface LogShown {
  clear(): void;
  /** @returns how many older ones went for them; -1: there is no room, since what is in sight stays */
  append(items: readonly LogItem[], runs: readonly LogRun[]): number;
  /** @returns how many newer ones went for them */
  prepend(lines: readonly LogLine[], runs: readonly LogRun[]): number;
  /** The oldest one that is held. */
  firstId(): string | undefined;
  /** Whether its end is in sight, so that it goes with what comes. */
  isFollowing(): boolean;
  /** Called when a place is there to be looked at. @param id of the line; undefined: the end */
  show(id: string | undefined): void;
}

export interface SessionDeps {
  client: Pick<Client, 'logs' | 'followLogs'>;
  name: string;
  shown: LogShown;
  onState: (state: LogState) => void;
  /** Once, soon. */
  soon: (work: () => void) => void;
  /** Waits before the next try; ends early with the signal. */
  wait: (signal: AbortSignal) => Promise<void>;
  /** A signal that fires as well when a stream says nothing any more. */
  watch: (abort: AbortController) => { heard: () => void; end: () => void };
}

type Loaded = Awaited<ReturnType<typeof loadPlace>>;

/** Loads a log, and goes on with it as lines come. */
export class LogSession {
  readonly #deps: SessionDeps;
  #state = EMPTY;
  #ended = new AbortController();
  #waiting: LogItem[] = [];
  #resume: (() => void) | undefined;
  /** Asked to go on before it had ended. */
  #isAgain = false;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  async open(place: Place): Promise<void> {
    this.#ended.abort();
    this.#ended = new AbortController();
    const { signal } = this.#ended;
    this.#waiting = [];
    this.#set({ ...EMPTY });
    try {
      const loaded = await loadPlace(this.#deps, place);
      if (!signal.aborted) this.#show(loaded, signal);
    } catch (error) {
      if (!signal.aborted) this.#set({ phase: 'failed', note: wordsOf(error) });
    }
  }

  /** One more page before the first line that is held. */
  async older(): Promise<void> {
    const { client, name, shown } = this.#deps;
    const before = shown.firstId();
    if (!this.#state.hasOlder || this.#state.isLoadingOlder || before === undefined) return;
    const { signal } = this.#ended;
    this.#set({ isLoadingOlder: true });
    const page = await client.logs(name, { before, tail: PAGE_LINES }).catch(wordsOf);
    if (signal.aborted) return;
    this.#set({ isLoadingOlder: false });
    if (typeof page === 'string') return this.#set({ olderNote: page });
    // Meanwhile lines at its beginning may have gone for new ones.
    if (shown.firstId() !== before) return;
    const runs = mergeRuns(this.#state.runs, page.runs);
    const gone = shown.prepend(page.lines, runs);
    const hasOlder = page.before !== null;
    this.#set({ runs, hasOlder, olderNote: hasOlder ? '' : page.note });
    if (gone > 0) this.#set({ hasEnd: false, letGo: this.#state.letGo + gone });
  }

  /** Its end is in sight: nothing is unseen. */
  seen(): void {
    if (this.#state.unseen > 0 && this.#state.hasEnd) this.#set({ unseen: 0 });
  }

  /** The program runs again, or may: an end is no end any more. */
  again(): void {
    this.#isAgain = this.#resume === undefined;
    this.#resume?.();
    this.#resume = undefined;
  }

  close(): void {
    this.#ended.abort();
    this.#waiting = [];
  }

  #set(changes: Partial<LogState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#deps.onState(this.#state);
  }

  #show(loaded: Loaded, signal: AbortSignal): void {
    const { lines, runs, before, after, note, olderNote, show, isCut } = loaded;
    const { shown } = this.#deps;
    shown.clear();
    shown.append(lines, runs);
    const isFollowed = after !== null && !isCut;
    this.#set({
      ...{ phase: 'open', runs, hasOlder: before !== null, olderNote, hasEnd: !isCut },
      ...{ note, link: isFollowed ? 'live' : 'none' },
    });
    shown.show(show);
    if (isFollowed) void this.#follow(after, signal);
  }

  async #follow(after: string, signal: AbortSignal): Promise<void> {
    let last = after;
    while (!signal.aborted) {
      const abort = new AbortController();
      const silence = this.#deps.watch(abort);
      const one = AbortSignal.any([abort.signal, signal]);
      const heard = () => {
        silence.heard();
        if (this.#state.link !== 'live' && !signal.aborted) this.#set({ link: 'live', why: '' });
      };
      try {
        for await (const message of this.#deps.client.followLogs(this.#deps.name, last, one, heard)) {
          if (signal.aborted) return;
          if (message.event === 'line') last = message.data.id;
          this.#take(message);
          if (message.event === 'end') break;
        }
        if (this.#state.link !== 'over') this.#set({ link: 'lost', why: 'the host ended the stream' });
      } catch (error) {
        if (signal.aborted) return;
        const isGone = error instanceof ApiError && error.status === 404;
        this.#set({ link: isGone ? 'over' : 'lost', why: wordsOf(error) });
      } finally {
        silence.end();
        abort.abort();
      }
      await (this.#state.link === 'over' ? this.#untilAgain(signal) : this.#deps.wait(signal));
    }
  }

  #untilAgain(signal: AbortSignal): Promise<void> {
    if (this.#isAgain) {
      this.#isAgain = false;
      return this.#deps.wait(signal);
    }
    return new Promise((resolve) => {
      this.#resume = resolve;
      signal.addEventListener('abort', () => resolve());
    });
  }

  #take({ event, data }: LogMessage): void {
    if (event === 'line') this.#put(data);
    if (event === 'gap') this.#put({ gap: data.message });
    if (event === 'line' || event === 'gap') return;
    this.#flush();
    if (event === 'run') this.#set({ runs: mergeRuns(this.#state.runs, [data]) });
    else this.#set({ link: 'over', why: data.message });
  }

  #put(item: LogItem): void {
    this.#waiting.push(item);
    if (this.#waiting.length === 1) this.#deps.soon(() => this.#flush());
    // Frames are rare where the tab is not seen.
    if (this.#waiting.length >= LINES_MAX) this.#flush();
  }

  #flush(): void {
    const items = this.#waiting;
    this.#waiting = [];
    if (items.length === 0) return;
    const { shown } = this.#deps;
    const isSeen = shown.isFollowing() && this.#state.hasEnd;
    const gone = this.#state.hasEnd ? shown.append(items, this.#state.runs) : -1;
    const { unseen, letGo } = this.#state;
    const lines = items.filter((item) => !('gap' in item)).length;
    if (!isSeen && lines > 0) this.#set({ unseen: unseen + lines });
    if (gone < 0 && this.#state.hasEnd) this.#set({ hasEnd: false });
    if (gone > 0) this.#set({ letGo: letGo + gone, hasOlder: true, olderNote: '' });
  }
}

/** What to show of a place. `show`: the line to look at; undefined: the end. `after` null: it is not followed. */
async function loadPlace({ client, name }: Pick<SessionDeps, 'client' | 'name'>, place: Place) {
  if (place.at === 'end') return endOf(client, name);
  const since =
    place.at === 'line' ? nanosOfId(place.id) : `${Math.floor(place.at === 'time' ? place.ms : place.from)}`;
  if (since === undefined) return endOf(client, name, 'That is no line of a log.');
  const to = place.at === 'stretch' ? place.to : undefined;
  const found = await wholeOf(client, name, { since, to, linesMax: LINES_MAX - BEFORE_LINES });
  const [first] = found.lines;
  if (place.at === 'stretch') return { ...found, show: first?.id, before: null, after: null, olderNote: '' };
  if (first === undefined) return endOf(client, name, 'Nothing was printed since then.');
  const older = await client.logs(name, { before: first.id, tail: BEFORE_LINES });
  const isGone = place.at === 'line' && !found.lines.some(({ id }) => id === place.id);
  return {
    ...{ ...found, before: older.before, lines: [...older.lines, ...found.lines] },
    note: isGone ? 'That line is not there any more: here is what came next.' : found.note,
    olderNote: older.before === null ? older.note : '',
    show: place.at === 'line' && !isGone ? place.id : first.id,
  };
}

async function endOf(client: SessionDeps['client'], name: string, note = '') {
  const page = await client.logs(name, { tail: PAGE_LINES });
  return { ...page, note, olderNote: page.before === null ? page.note : '', show: undefined, isCut: false };
}

function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return error instanceof Error && error.name === 'AbortError' ? 'the connection broke off' : String(error);
}
