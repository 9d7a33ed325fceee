export type LogStream = 'stdout' | 'stderr';

/** A part of a program's output, as it comes from the engine. */
export interface LogPiece {
  /** Undefined where it is not known, as of lines that were kept without it. */
  stream?: LogStream | undefined;
  /**
   * When the engine got it: RFC 3339 in UTC with nine decimals. All parts of one line have that of the first. `""`
   * where it goes on what the piece before began.
   */
  time: string;
  bytes: Uint8Array;
}

const NANOS_OF_SECOND = 1_000_000_000n;
const NANOS_OF_MS = 1_000_000n;

/** Epoch nanoseconds of a time with any number of decimals; what is beyond the ninth is cut. Undefined for no time. */
export function nanosOf(time: string): bigint | undefined {
  const [, start = '', decimals = '', zone = ''] =
    /^(.+:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/.exec(time) ?? [];
  const ms = Date.parse(`${start}${zone}`);
  return Number.isNaN(ms)
    ? undefined
    : BigInt(ms) * NANOS_OF_MS + BigInt(decimals.slice(0, 9).padEnd(9, '0'));
}

/** RFC 3339 in UTC with nine decimals. */
export function timeOfNanos(nanos: bigint): string {
  const second = new Date(Number(nanos / NANOS_OF_MS)).toISOString().slice(0, 19);
  return `${second}.${(nanos % NANOS_OF_SECOND).toString().padStart(9, '0')}Z`;
}

/** Epoch nanoseconds of epoch milliseconds. */
export function nanosOfMs(ms: number): bigint {
  return BigInt(Math.round(ms)) * NANOS_OF_MS;
}
