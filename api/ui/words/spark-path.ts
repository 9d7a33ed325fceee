/** The `d` of a line through parts of 1; a gap where one is null. */
export function sparkPath(series: readonly (number | null)[], width: number, height: number): string {
  const step = width / Math.max(1, series.length - 1);
  let d = '';
  let pen = 'M';
  series.forEach((value, at) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    d += `${pen}${(at * step).toFixed(1)} ${(height - 1 - Math.min(1, value) * (height - 2)).toFixed(1)}`;
    pen = 'L';
  });
  return d;
}
