import { isIPv6 } from 'node:net';

/** So many are answered as what they are, from one address within that time. */
const FAILURES_MAX = 10;
const WINDOW_MS = 60_000;
/** Of addresses that are remembered; the longest known goes first. */
const ADDRESSES_MAX = 10_000;
/** Whoever has an address of version 6 has as many as he likes of its network. */
const NETWORK_PARTS = 4;

/** Counts tokens that were none, by the address that they came from. */
export interface Failures {
  /** @returns seconds to wait where there were too many, 0 where not; and whether this is the first too many */
  count(address: string, nowMs: number): { retryAfterSeconds: number; isFirst: boolean };
}

export function createFailures(): Failures {
  const byNetwork = new Map<string, { count: number; endsMs: number }>();
  return {
    count(address, nowMs) {
      const network = networkOf(address);
      const known = byNetwork.get(network);
      // A clock that was set back keeps nobody out for longer.
      const isOver = known === undefined || known.endsMs <= nowMs || known.endsMs > nowMs + WINDOW_MS;
      const one = isOver ? { count: 0, endsMs: nowMs + WINDOW_MS } : known;
      one.count++;
      byNetwork.delete(network);
      byNetwork.set(network, one);
      const oldest = byNetwork.keys().next().value;
      if (byNetwork.size > ADDRESSES_MAX && oldest !== undefined) byNetwork.delete(oldest);
      if (one.count <= FAILURES_MAX) return { retryAfterSeconds: 0, isFirst: false };
      return {
        retryAfterSeconds: Math.max(1, Math.ceil((one.endsMs - nowMs) / 1000)),
        isFirst: one.count === FAILURES_MAX + 1,
      };
    },
  };
}

function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const parts = head.split(':').filter((part) => part !== '');
  // What `::` leaves out are zeros.
  while (tail !== undefined && parts.length < NETWORK_PARTS) parts.push('0');
  return parts.slice(0, NETWORK_PARTS).join(':');
}
