import type { LogLine, LogRun } from '../../../../schemas/log-line.ts';
import { exactTitle, type ShownRow } from './line-node.ts';
import { LogBlocks, lineOf } from './log-blocks.ts';
import type { LogItem, TimeMode } from './log-rows.ts';
import type { LogShown } from './log-session.ts';

/** What is nearer to the end than this has it in sight, in pixels. */
const END_PX = 24;

/** A log in the box that scrolls. Its one law: the view never moves unless its end is in sight. */
export class LogPane implements LogShown {
  readonly #box: HTMLElement;
  readonly #place: HTMLElement;
  readonly #linesMax: number;
  readonly #onChange: () => void;
  readonly #blocks: LogBlocks;
  #isFollowing = true;
  #marked: ShownRow | undefined;

  /**
   * @param box what scrolls, @param place where the lines stand in it, @param linesMax held at a time,
   * @param onChange called when it begins or ceases to follow, and when hits change
   */
  constructor(box: HTMLElement, place: HTMLElement, linesMax: number, onChange: () => void) {
    this.#box = box;
    this.#place = place;
    this.#linesMax = linesMax;
    this.#onChange = onChange;
    this.#blocks = new LogBlocks(place);
    box.addEventListener('scroll', () => this.#scrolled());
  }

  get count(): number {
    return this.#blocks.count;
  }

  isFollowing(): boolean {
    return this.#isFollowing;
  }

  firstId(): string | undefined {
    return this.#blocks.first?.id;
  }

  firstRun(): string | undefined {
    return this.#blocks.first?.run ?? undefined;
  }

  lastRun(): string | undefined {
    return this.#blocks.last?.run ?? undefined;
  }

  clear(): void {
    this.#blocks.clear();
    this.#marked = undefined;
    this.#isFollowing = true;
  }

  append(items: readonly LogItem[], runs: readonly LogRun[]): number {
    if (!this.#isFollowing && this.count >= this.#linesMax) return -1;
    this.#blocks.append(items.slice(-this.#linesMax), runs);
    let gone = Math.max(0, items.length - this.#linesMax);
    if (this.#isFollowing) {
      gone += this.#blocks.trim('oldest', this.#linesMax);
      this.settle();
    }
    if (this.#blocks.isFinding) this.#onChange();
    return gone;
  }

  prepend(lines: readonly LogLine[], runs: readonly LogRun[]): number {
    const before = this.#place.offsetHeight;
    this.#blocks.prepend(lines, runs);
    this.#box.scrollTop += this.#place.offsetHeight - before;
    const gone = this.#blocks.trim('newest', this.#linesMax);
    if (this.#blocks.isFinding) this.#onChange();
    return gone;
  }

  show(id: string | undefined): void {
    if (id === undefined) this.toEnd();
    else this.mark(id);
  }

  toEnd(): void {
    this.#isFollowing = true;
    this.settle();
    this.#onChange();
  }

  stand(): void {
    this.#isFollowing = false;
    this.#onChange();
  }

  /** Stays at the end where it follows: after anything that changes heights. */
  settle(): void {
    if (this.#isFollowing) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** Heights above the lines have changed by so much: what is in sight stays there. */
  shift(px: number): void {
    if (!this.#isFollowing) this.#box.scrollTop += px;
  }

  /** Does what changes heights; the line that is first in sight stays where it is. */
  keep(work: () => void): void {
    const first = this.#isFollowing ? undefined : this.#inSight();
    const before = first?.node.offsetTop ?? 0;
    work();
    if (first === undefined) this.settle();
    // One that is hidden now has no place.
    else if (first.node.offsetParent !== null) this.#box.scrollTop += first.node.offsetTop - before;
  }

  setTimes(mode: TimeMode): void {
    this.keep(() => this.#blocks.setTimes(mode));
  }

  find(word: string): void {
    this.#unmark();
    const newest = this.#blocks.find(word);
    if (newest === undefined) this.#onChange();
    else this.#look(newest);
  }

  /** To the next hit, or the one before; around where there is none. */
  hop(by: 1 | -1): void {
    const rows = [...this.#blocks.all()];
    const at = this.#marked === undefined ? -1 : rows.indexOf(this.#marked);
    const isHit = ({ isHit }: ShownRow) => isHit;
    const next =
      by === 1
        ? (rows.slice(at + 1).find(isHit) ?? rows.find(isHit))
        : (rows.slice(0, Math.max(0, at)).findLast(isHit) ?? rows.findLast(isHit));
    if (next !== undefined) this.#look(next);
  }

  hits(): { at: number; count: number } {
    const count = this.#blocks.found;
    if (count === 0 || this.#marked === undefined) return { at: -1, count };
    let at = -1;
    for (const shown of this.#blocks.all()) {
      if (shown.isHit) at++;
      if (shown === this.#marked) return { at: shown.isHit ? at : -1, count };
    }
    return { at: -1, count };
  }

  /** Marks a line, and brings it in sight where it is not. @returns whether it is held */
  mark(id: string): boolean {
    for (const shown of this.#blocks.all()) {
      if (lineOf(shown)?.id !== id) continue;
      this.#look(shown);
      return true;
    }
    return false;
  }

  /** The line that is marked, or the first one in sight. */
  lineHere(): LogLine | undefined {
    const marked = this.#marked !== undefined && this.#blocks.has(this.#marked) ? this.#marked : undefined;
    return lineOf(marked ?? this.#inSight());
  }

  /** The line of that node of the page; it gets its title. */
  lineAt(node: Element): LogLine | undefined {
    const line = node.closest('.ln');
    if (line === null) return undefined;
    for (const shown of this.#blocks.all()) {
      if (shown.node !== line) continue;
      exactTitle(shown);
      return lineOf(shown);
    }
    return undefined;
  }

  /** All that is held. */
  text(): string {
    let text = '';
    for (const { row } of this.#blocks.all())
      if (row.kind === 'line') text += `${row.line.time} ${row.line.stream ?? '-'} ${row.line.text}\n`;
    return text;
  }

  #inSight(): ShownRow | undefined {
    for (const shown of this.#blocks.all()) {
      const { offsetTop, offsetHeight } = shown.node;
      if (lineOf(shown) !== undefined && offsetHeight > 0 && offsetTop >= this.#box.scrollTop) return shown;
    }
    return undefined;
  }

  #unmark(): void {
    this.#marked?.node.classList.remove('hit-now');
    this.#marked = undefined;
  }

  #look(shown: ShownRow): void {
    this.#unmark();
    this.#marked = shown;
    shown.node.classList.add('hit-now');
    const { scrollTop, clientHeight } = this.#box;
    const { offsetTop, offsetHeight } = shown.node;
    const isInSight = offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight;
    if (!isInSight) this.#box.scrollTop = offsetTop - clientHeight / 3;
    this.stand();
  }

  #scrolled(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < END_PX;
    if (isAtEnd === this.#isFollowing) return;
    this.#isFollowing = isAtEnd;
    this.#onChange();
  }
}
