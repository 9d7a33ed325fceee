import type { ReadonlySignal } from '@preact/signals';
import type { ProgramBody } from '../../../routes/view.ts';
import { KINDS, type Kind } from '../../words/kind.ts';
import { type Block, reblocked } from './blocks.ts';
import type { Seen } from './seen.ts';
import { isDown, type Sort } from './sort.ts';

/** A row: who, and how it stood when its place was given to it. */
export interface Item {
  name: string;
  program: ReadonlySignal<ProgramBody>;
  kind: Kind;
}

/** `kind` undefined: all, where the list is sorted by anything but states. */
export interface Group {
  kind: Kind | undefined;
  blocks: readonly Block<Item>[];
  count: number;
}

/** Makes the items of rows, the same object for as long as it says the same. */
export class Items {
  readonly #known = new Map<string, Item>();

  of({ name, kind }: Seen, program: ReadonlySignal<ProgramBody>): Item {
    const known = this.#known.get(name);
    if (known?.program === program && known.kind === kind) return known;
    const item = { name, program, kind };
    this.#known.set(name, item);
    return item;
  }

  /** Forgets who is not there any more. */
  keep(isThere: (name: string) => boolean): void {
    for (const name of this.#known.keys()) if (!isThere(name)) this.#known.delete(name);
  }
}

/** Gives rows their places. */
export class Order {
  #lastId = 0;
  readonly #newId = () => ++this.#lastId;

  /** @param rows sorted; @returns the groups, and the names of those that changed place or came */
  take(
    before: readonly Group[],
    rows: readonly Item[],
    sort: Sort,
  ): { groups: readonly Group[]; moved: readonly string[] } {
    const moved: string[] = [];
    const kinds = sort.by === 'state' ? KINDS.map(({ kind }) => kind) : [undefined];
    const groups = (isDown(sort) ? kinds.toReversed() : kinds).flatMap((kind) => {
      const some = kind === undefined ? rows : rows.filter((row) => row.kind === kind);
      const old = before.find((group) => group.kind === kind);
      const now = reblocked(old?.blocks ?? [], some, ({ name }) => name, this.#newId);
      moved.push(...now.moved.map(({ name }) => name));
      const isSame = old !== undefined && isEqual(old.blocks, now.blocks);
      return some.length === 0 ? [] : [isSame ? old : { kind, blocks: now.blocks, count: some.length }];
    });
    return { groups: isEqual(before, groups) ? before : groups, moved };
  }
}

function isEqual<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

/** All rows that are shown, in their order. */
export function rowsOf(groups: readonly Group[]): Item[] {
  return groups.flatMap(({ blocks }) => blocks.flatMap(({ items }) => items));
}
