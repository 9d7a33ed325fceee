import { judge, type Row } from './stats.ts';

/** The rows as people read them, aligned; a line an entry. */
export function tableLines(rows: readonly Row[]): string[] {
  const head = ['', 'ours', 'bare', 'ratio', 'limit', '', 'against'];
  const cells = [head, ...rows.map(cellsOf)];
  const widths = head.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((cell, column) => {
        const isNumber = column >= 1 && column <= 3;
        return isNumber ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
}

function cellsOf(row: Row): string[] {
  const { ours, bare, ratio, ok } = judge(row);
  const compared = row.bare.length > 0;
  return [
    row.name,
    `${amount(ours)} ${row.unit}`,
    compared ? `${amount(bare)} ${row.unit}` : '',
    compared ? (ratio < 0.1 ? ratio.toFixed(3) : ratio.toFixed(2)) : '',
    row.limit === null ? '' : `${row.limit.kind} ${Number(row.limit.value.toFixed(3))}`,
    row.limit === null ? '' : ok ? 'ok' : 'MISSED',
    row.against,
  ];
}

function amount(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
}
