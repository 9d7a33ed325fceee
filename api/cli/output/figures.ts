const MEBI = 2 ** 20;

/** Bytes as a manifest has them: `40Mi`, `1.5Gi`. */
export function memory(bytes: number): string {
  const mi = bytes / MEBI;
  return mi >= 1024 ? `${trimmed(mi / 1024)}Gi` : `${mi >= 10 || mi === 0 ? Math.round(mi) : trimmed(mi)}Mi`;
}

/** @param part of 1 */
export function percent(part: number): string {
  const n = part * 100;
  return `${n >= 10 || n === 0 ? Math.round(n) : trimmed(n)}%`;
}

function trimmed(n: number): string {
  return n.toFixed(1).replace(/\.0$/, '');
}
