import { STATUS_CODES } from 'node:http';
import type { Figures } from './kit.ts';

/** Counts what went through the proxy by the code of its answer; 0 where the client was gone before there was one. */
export function countProxied(figures: Figures): (code: number) => void {
  /** Cheaper than a look-up by labels for each request. */
  const counts = new Map<number, number>([[200, 0]]);
  figures.total(
    'hersh_proxy_requests_total',
    'Requests through the proxy by the code of the answer; none: the client went before there was one.',
    ['code'],
    () => [...counts].map(([code, count]) => [{ code: labelOf(code) }, count] as const),
  );
  // What a program makes up counts as one, however many it makes up.
  return (code) => {
    const known = code === 0 || code in STATUS_CODES ? code : OTHER;
    counts.set(known, (counts.get(known) ?? 0) + 1);
  };
}

const OTHER = -1;

function labelOf(code: number): string {
  if (code === 0) return 'none';
  return code === OTHER ? 'other' : String(code);
}
