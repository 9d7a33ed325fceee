import { batch, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import type { ProgramBody } from '../../../routes/view.ts';
import { KINDS, type Kind } from '../../words/kind.ts';
import { matcher, needsFigures, type Query } from './filter.ts';
import { type Group, Items, Order, rowsOf } from './order.ts';
import { type Figures, type Seen, seen } from './seen.ts';
import { type Sort, sorted } from './sort.ts';
import { TriedAgain } from './tried-again.ts';
import { TroubleNews } from './trouble-news.ts';

/** What the list is made of. */
export interface ListSources {
  isLoaded: ReadonlySignal<boolean>;
  names: ReadonlySignal<readonly string[]>;
  /** Goes up with each change of any program. */
  changes: ReadonlySignal<number>;
  programOf(name: string): ReadonlySignal<ProgramBody> | undefined;
  /** Whoever reads them in an effect is told when they change. */
  figuresOf(name: string): Figures;
  query: ReadonlySignal<Query>;
  sort: ReadonlySignal<Sort>;
  /** Calls back later. @returns what calls that off */
  later(run: () => void, ms: number): () => void;
  nowMs(): number;
  /** Told what came into trouble, or out of it. */
  onNews(text: string): void;
}

export interface ListModel {
  /** Undefined before the first whole list. */
  view: ReadonlySignal<ListView | undefined>;
  /** Whether pointer or focus is in the list: rows stay where they are. */
  isHeld: { value: boolean };
  /** Who would stand elsewhere if they did not. */
  moved: ReadonlySignal<ReadonlySet<string>>;
  /** Who is shown, and not there any more. */
  gone: ReadonlySignal<ReadonlySet<string>>;
  /** Gives all rows their places. */
  sortAgain(): void;
  /** All programs, as they are now. */
  all(): readonly Seen[];
  close(): void;
}

export interface ListView {
  groups: readonly Group[];
  counts: Readonly<Record<Kind, number>>;
  total: number;
  matching: number;
}

/** Order and counts are made anew so often at most, in milliseconds. */
const AGAIN_MS = 250;
const NOBODY: ReadonlySet<string> = new Set();

/** Keeps the order of the list, its groups and their numbers. */
export function createListModel(sources: ListSources): ListModel {
  const view = signal<ListView | undefined>(undefined);
  const [moved, gone] = [signal(NOBODY), signal(NOBODY)];
  const isHeld = signal(false);
  const [items, order, news, tried] = [new Items(), new Order(), new TroubleNews(), new TriedAgain()];
  const alarm = createAlarm(sources, () => untracked(() => make(!isHeld.peek())));

  const all = () =>
    sources.names.peek().flatMap((name) => {
      const p = untracked(() => sources.programOf(name))?.peek();
      return p === undefined ? [] : [seen(p)];
    });

  /** Who matches, and in which order. */
  function placed(everyone: readonly Seen[]) {
    const matches = matcher(sources.query.peek());
    const found = everyone.filter((one) => matches(one, () => sources.figuresOf(one.name)));
    const rows = sorted(found, sources.sort.peek(), sources.figuresOf).flatMap((one) => {
      const program = sources.programOf(one.name);
      return program === undefined ? [] : [items.of(one, program)];
    });
    return { found, rows };
  }

  /** @param isFree whether rows may change their places */
  function make(isFree: boolean): void {
    const everyone = tried.take(all(), sources.nowMs());
    alarm.at(tried.soonestMs);
    const { found, rows } = placed(everyone);
    const before = view.peek();
    const next = order.take(before?.groups ?? [], rows, sources.sort.peek());
    const groups = isFree || before === undefined ? next.groups : before.groups;
    const isShown = new Set(rows.map(({ name }) => name));
    const left = groups === next.groups ? [] : rowsOf(groups).filter(({ name }) => !isShown.has(name));
    batch(() => {
      view.value = { groups, counts: countsOf(everyone), total: everyone.length, matching: found.length };
      moved.value = setOf(
        groups === next.groups ? [] : [...next.moved, ...left.map(({ name }) => name)],
        moved.peek(),
      );
      const there = new Set(everyone.map(({ name }) => name));
      gone.value = setOf(
        left.filter(({ name }) => !there.has(name)).map(({ name }) => name),
        gone.peek(),
      );
      items.keep((name) => there.has(name));
    });
    const text = news.take(everyone);
    if (text !== '') sources.onNews(text);
  }

  const close = follow(sources, make, isHeld, { hasMoved: () => moved.peek().size > 0, alarm });
  return {
    ...{ view, isHeld, moved, gone, all },
    sortAgain: () => untracked(() => make(true)),
    close,
  };
}

/**
 * For what is tried again: it may have run long enough, though nothing tells of it. Calls once, at the last time that
 * was given; never for an infinite one.
 */
function createAlarm({ later, nowMs }: Pick<ListSources, 'later' | 'nowMs'>, run: () => void) {
  let cancel: (() => void) | undefined;
  const ring = () => {
    cancel = undefined;
    run();
  };
  const close = () => {
    cancel?.();
    cancel = undefined;
  };
  return {
    at(ms: number) {
      close();
      if (Number.isFinite(ms)) cancel = later(ring, Math.max(0, ms - nowMs()));
    },
    close,
  };
}

/** Makes the list anew when it has to be. @returns what ends that */
function follow(
  sources: ListSources,
  make: (isFree: boolean) => void,
  isHeld: ReadonlySignal<boolean>,
  { hasMoved, alarm }: { hasMoved: () => boolean; alarm: { close(): void } },
): () => void {
  const turns = createTurns(sources, () => make(!isHeld.peek()));
  const ends = [
    effect(() => {
      sources.changes.value;
      const names = sources.names.value;
      const isWanted = needsFigures(sources.query.value) || ['cpu', 'mem'].includes(sources.sort.value.by);
      if (isWanted) for (const name of names) sources.figuresOf(name);
      if (sources.isLoaded.value) untracked(turns.soon);
    }),
    // What was asked for is done at once, wherever the pointer is.
    effect(() => {
      sources.query.value;
      sources.sort.value;
      if (sources.isLoaded.value) untracked(() => make(true));
    }),
    effect(() => {
      if (!isHeld.value && hasMoved()) untracked(() => make(true));
    }),
    turns.close,
    alarm.close,
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** At once, and after that not before its time has come again. */
function createTurns({ later, nowMs }: Pick<ListSources, 'later' | 'nowMs'>, run: () => void) {
  let lastMs = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;
  const turn = () => {
    cancel = undefined;
    lastMs = nowMs();
    run();
  };
  return {
    soon() {
      const waitMs = lastMs + AGAIN_MS - nowMs();
      if (waitMs <= 0 && cancel === undefined) turn();
      else cancel ??= later(turn, Math.max(0, waitMs));
    },
    close: () => cancel?.(),
  };
}

function countsOf(all: readonly Seen[]): Record<Kind, number> {
  const counts = Object.fromEntries(KINDS.map(({ kind }) => [kind, 0])) as Record<Kind, number>;
  for (const { kind } of all) counts[kind]++;
  return counts;
}

/** The set before, where it has the same in it. */
function setOf(names: readonly string[], before: ReadonlySet<string>): ReadonlySet<string> {
  const isSame = names.length === before.size && names.every((name) => before.has(name));
  return isSame ? before : new Set(names);
}
