import Table from 'cli-table3';
import type { Out } from '../io/io.ts';
import { type Colour, oneLine, type Paint } from './paint.ts';

export interface Column<T> {
  head: string;
  text(row: T): string;
  colour?(row: T): Colour | undefined;
  /** Where a cell is cut that does not fit: ids differ at both ends. */
  cut?: 'end' | 'middle';
  /** The first to go where there is no room for all; left out, it stays. */
  spare?: number;
}

/** Between columns. */
const GAP = 3;
/** No cell is cut below this. */
const LEAST = 6;

const BORDERS = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
];
const NO_BORDERS = Object.fromEntries(BORDERS.map((name) => [name, '']));

export interface TableOptions {
  out: Out;
  paint: Paint;
  hasHead?: boolean;
  /** Of what was printed above it: columns are at least that wide. */
  above?: readonly number[];
}

/**
 * Rows under heads in capitals, a line each, as kubectl has them. On a terminal it is as wide as that: what does not
 * fit is cut, columns that can be spared go first. In a pipe nothing is cut.
 */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[], options: TableOptions): string {
  const { out, paint, hasHead = true, above = [] } = options;
  const cells = rows.map((row) => columns.map((column) => oneLine(column.text(row))));
  const natural = naturalWidths(columns, cells).map((width, at) => Math.max(width, above[at] ?? 0));
  const widths = out.isTTY ? fitted(columns, natural, out.columns) : natural;
  const shown = columns.map((_, at) => at).filter((at) => (widths[at] ?? 0) > 0);
  const made = new Table({
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  if (hasHead) made.push(shown.map((at) => cut(columns[at]?.head ?? '', widths[at] ?? 0, 'end')));
  for (const [index, row] of rows.entries()) {
    made.push(
      shown.map((at) => {
        const text = cut(cells[index]?.[at] ?? '', widths[at] ?? 0, columns[at]?.cut ?? 'end');
        const colour = columns[at]?.colour?.(row);
        return colour === undefined ? text : paint(colour, text);
      }),
    );
  }
  made.options.colWidths = shown.map(
    (at, index) => (widths[at] ?? 0) + (index === shown.length - 1 ? 0 : GAP),
  );
  return made.length === 0 ? '' : `${trimmedLines(made.toString())}\n`;
}

/** The table, and then more rows of it as they come. */
export function growingTable<T>(
  columns: readonly Column<T>[],
  options: Pick<TableOptions, 'out' | 'paint'>,
): (rows: readonly T[]) => string {
  let above: number[] | undefined;
  return (rows) => {
    const cells = rows.map((row) => columns.map((column) => oneLine(column.text(row))));
    const text = table(columns, rows, { ...options, hasHead: above === undefined, above: above ?? [] });
    above = naturalWidths(columns, cells).map((width, at) => Math.max(width, above?.[at] ?? 0));
    return text;
  };
}

function naturalWidths<T>(columns: readonly Column<T>[], cells: readonly string[][]): number[] {
  return columns.map(({ head }, at) =>
    Math.max(widthOf(head), ...cells.map((row) => widthOf(row[at] ?? ''))),
  );
}

function trimmedLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Widths that fit into a line; 0 for a column that is left out. */
function fitted<T>(
  columns: readonly Column<T>[],
  natural: readonly number[],
  columnsOfLine: number,
): number[] {
  const widths = [...natural];
  const total = () => {
    const shown = widths.filter((width) => width > 0);
    return shown.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, shown.length - 1);
  };
  const least = (at: number) => Math.min(natural[at] ?? 0, Math.max(LEAST, widthOf(columns[at]?.head ?? '')));
  const tight = () => widths.map((width, at) => (width === 0 ? 0 : least(at)));
  const isTooTight = () => {
    const shown = tight().filter((width) => width > 0);
    return shown.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, shown.length - 1) > columnsOfLine;
  };
  const spares = columns
    .map(({ spare }, at) => ({ at, spare: spare ?? 0 }))
    .filter(({ spare }) => spare > 0)
    .sort((a, b) => b.spare - a.spare);
  while (isTooTight() && spares.length > 0) widths[spares.shift()?.at ?? 0] = 0;
  while (total() > columnsOfLine) {
    const widest = widths.reduce((best, width, at) => {
      const isLess = width - least(at) > (widths[best] ?? 0) - least(best);
      return isLess ? at : best;
    }, 0);
    if ((widths[widest] ?? 0) <= least(widest)) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function cut(text: string, width: number, where: 'end' | 'middle'): string {
  if (widthOf(text) <= width) return text;
  const chars = [...text];
  if (where === 'middle') {
    const half = Math.floor((width - 1) / 2);
    return `${chars.slice(0, width - 1 - half).join('')}…${half === 0 ? '' : chars.slice(-half).join('')}`;
  }
  while (chars.length > 0 && widthOf(chars.join('')) > width - 1) chars.pop();
  return `${chars.join('')}…`;
}

// What a terminal gives two columns.
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u;

function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += WIDE.test(char) ? 2 : 1;
  return width;
}
