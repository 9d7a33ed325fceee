import { clock, exactTime } from '../../words/span.ts';
import { piecesOf } from './find-text.ts';
import { borderWords, type LogRow, stampOf, type TimeMode } from './log-rows.ts';

/** A row as it stands on the page. The nodes are made by hand: thousands stand there, and many come in a second. */
export interface ShownRow {
  row: LogRow;
  node: HTMLElement;
  isHit: boolean;
}

/** @param startOf when a run began, epoch milliseconds */
export type StartOf = (run: string | null) => number | undefined;

export function showRow(row: LogRow, mode: TimeMode, startOf: StartOf): ShownRow {
  return { row, node: row.kind === 'line' ? lineNode(row, mode, startOf) : borderNode(row), isHit: false };
}

function element(name: string, className: string, text = ''): HTMLElement {
  const node = document.createElement(name);
  if (className !== '') node.className = className;
  if (text !== '') node.textContent = text;
  return node;
}

function lineNode(row: Extract<LogRow, { kind: 'line' }>, mode: TimeMode, startOf: StartOf): HTMLElement {
  const { line, text, ms } = row;
  const isErr = line.stream === 'stderr';
  const node = element('div', isErr ? 'ln err' : 'ln');
  node.id = `L${line.id}`;
  const time = element('span', 'at', stampOf(mode, ms, startOf(line.run)));
  const stream = element('span', 'stream', isErr ? 'err' : '');
  stream.ariaHidden = 'true';
  node.append(time, stream, element('span', 'text', text));
  if (line.cut_bytes > 0) node.append(element('span', 'cut', ` … ${line.cut_bytes} bytes more are left off`));
  return node;
}

/** Made when it is looked for, not for each line. */
export function exactTitle({ row, node }: ShownRow): void {
  const time = node.firstElementChild;
  if (row.kind !== 'line' || !(time instanceof HTMLElement) || time.title !== '') return;
  time.title = `${exactTime(row.ms)}. Click: a link to this line`;
}

export function borderNode(row: Exclude<LogRow, { kind: 'line' }>): HTMLElement {
  const node = element('div', 'run');
  node.setAttribute('role', 'separator');
  if (row.kind === 'says') {
    node.classList.add('old');
    node.textContent = row.text;
    return node;
  }
  const { who, says, firm, rest, time, isBad } = borderWords(row);
  if (row.kind === 'ends') node.classList.add('end');
  if (isBad) node.classList.add('bad');
  node.append(element('b', '', who), says, ...(firm === '' ? [] : [element('b', '', firm)]), rest);
  if (time !== '') {
    const at = document.createElement('time');
    at.dateTime = time;
    at.title = exactTime(Date.parse(time));
    at.textContent = clock(Date.parse(time));
    node.append(', ', at);
  }
  if (row.kind === 'kept') node.append(element('pre', 'kept', row.run.kept ?? ''));
  return node;
}

export function restamp({ row, node }: ShownRow, mode: TimeMode, startOf: StartOf): void {
  const time = node.firstElementChild;
  if (row.kind === 'line' && time !== null) time.textContent = stampOf(mode, row.ms, startOf(row.line.run));
}

/** Marks what is found in it, or takes the marks away. @returns whether something is */
export function markFound(shown: ShownRow, pattern: RegExp | undefined): boolean {
  if (shown.row.kind !== 'line') return false;
  const pieces = pattern && piecesOf(shown.row.text, pattern);
  const text = shown.node.querySelector('.text');
  if (pieces === undefined) {
    if (shown.isHit && text !== null) text.textContent = shown.row.text;
  } else {
    text?.replaceChildren(
      ...pieces.map((piece) => (piece.isHit ? element('mark', '', piece.text) : piece.text)),
    );
  }
  shown.isHit = pieces !== undefined;
  shown.node.classList.toggle('hit', shown.isHit);
  return shown.isHit;
}
