import type { LogLine, LogRun } from '../../../../schemas/log-line.ts';
import { patternOf } from './find-text.ts';
import { markFound, restamp, type ShownRow, showRow } from './line-node.ts';
import { type LogItem, type LogRow, rowsOf, type TimeMode } from './log-rows.ts';

/** Lines of one block: so many are laid out anew where one comes, and so many go at a time. */
const BLOCK_LINES = 100;

interface Block {
  node: HTMLElement;
  rows: ShownRow[];
  lines: number;
}

/** The lines that are held, on the page, in blocks. What is let go of is not known any more. */
export class LogBlocks {
  readonly #place: HTMLElement;
  #blocks: Block[] = [];
  #count = 0;
  #found = 0;
  #mode: TimeMode = 'clock';
  #starts = new Map<string, number>();
  #pattern: RegExp | undefined;

  /** @param place where they stand */
  constructor(place: HTMLElement) {
    this.#place = place;
  }

  /** Of lines. */
  get count(): number {
    return this.#count;
  }

  /** How many lines have what is looked for. */
  get found(): number {
    return this.#found;
  }

  get isFinding(): boolean {
    return this.#pattern !== undefined;
  }

  get first(): LogLine | undefined {
    return lineOf(this.#blocks.find(({ lines }) => lines > 0)?.rows.find(isLine));
  }

  get last(): LogLine | undefined {
    return lineOf(this.#blocks.findLast(({ lines }) => lines > 0)?.rows.findLast(isLine));
  }

  *all(): Generator<ShownRow> {
    for (const { rows } of this.#blocks) yield* rows;
  }

  has(shown: ShownRow): boolean {
    return shown.node.isConnected;
  }

  clear(): void {
    this.#place.replaceChildren();
    this.#blocks = [];
    this.#count = 0;
    this.#found = 0;
  }

  append(items: readonly LogItem[], runs: readonly LogRun[]): void {
    this.#knowRuns(runs);
    const made = this.#fill(rowsOf(items, runs, this.last?.run ?? undefined), this.#blocks.at(-1));
    this.#place.append(...made.map(({ node }) => node));
    this.#blocks.push(...made);
  }

  prepend(lines: readonly LogLine[], runs: readonly LogRun[]): void {
    this.#knowRuns(runs);
    const { first } = this;
    // With the first one that is held, so that the border before it is told; it is not shown twice.
    const rows = rowsOf(first === undefined ? lines : [...lines, first], runs, undefined);
    if (first !== undefined) rows.pop();
    const made = this.#fill(rows, undefined);
    this.#place.prepend(...made.map(({ node }) => node));
    this.#blocks.unshift(...made);
  }

  /** Lets go of whole blocks of the oldest, or the newest, while as many as that are held without them. */
  trim(which: 'oldest' | 'newest', linesMax: number): number {
    let gone = 0;
    for (;;) {
      const block = which === 'oldest' ? this.#blocks[0] : this.#blocks.at(-1);
      if (block === undefined || this.#count - block.lines < linesMax) return gone;
      if (which === 'oldest') this.#blocks.shift();
      else this.#blocks.pop();
      block.node.remove();
      this.#count -= block.lines;
      this.#found -= block.rows.filter(({ isHit }) => isHit).length;
      gone += block.lines;
    }
  }

  setTimes(mode: TimeMode): void {
    this.#mode = mode;
    for (const shown of this.all()) restamp(shown, mode, this.#startOf);
  }

  /** @returns the newest line that has it */
  find(word: string): ShownRow | undefined {
    this.#pattern = patternOf(word);
    this.#found = 0;
    let newest: ShownRow | undefined;
    for (const shown of this.all()) {
      if (!markFound(shown, this.#pattern)) continue;
      this.#found++;
      newest = shown;
    }
    return newest;
  }

  readonly #startOf = (run: string | null) => (run === null ? undefined : this.#starts.get(run));

  #knowRuns(runs: readonly LogRun[]): void {
    this.#starts = new Map(runs.map(({ id, started }) => [id, Date.parse(started)]));
  }

  #shownOf(row: LogRow): ShownRow {
    const shown = showRow(row, this.#mode, this.#startOf);
    if (this.#pattern !== undefined && markFound(shown, this.#pattern)) this.#found++;
    return shown;
  }

  /** Puts rows behind those of a block, and into new ones where it is full. @returns the blocks that are new */
  #fill(rows: readonly LogRow[], last: Block | undefined): Block[] {
    const made: Block[] = [];
    let block = last;
    let nodes: HTMLElement[] = [];
    for (const row of rows) {
      if (block === undefined || block.lines >= BLOCK_LINES) {
        block?.node.append(...nodes);
        nodes = [];
        block = { node: document.createElement('div'), rows: [], lines: 0 };
        made.push(block);
      }
      const shown = this.#shownOf(row);
      block.rows.push(shown);
      nodes.push(shown.node);
      if (row.kind !== 'line') continue;
      block.lines++;
      this.#count++;
    }
    block?.node.append(...nodes);
    return made;
  }
}

export function lineOf(shown: ShownRow | undefined): LogLine | undefined {
  return shown?.row.kind === 'line' ? shown.row.line : undefined;
}

function isLine({ row }: ShownRow): boolean {
  return row.kind === 'line';
}
