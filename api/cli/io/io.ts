/** Where a command writes to. */
export interface Out {
  /** What is written to one that nobody reads any more is lost. */
  write(text: string): void;
  /** Resolves when there is room for more. */
  writeBytes(bytes: Uint8Array): Promise<void>;
  isTTY: boolean;
  /** Characters in a line of the terminal. */
  columns: number;
  /** The terminal itself, for what moves on it; undefined where there is none. */
  stream?: NodeJS.WriteStream | undefined;
}

/** All that a command has of the world, so that a test can give it another. */
export interface Io {
  stdout: Out;
  stderr: Out;
  stdin: AsyncIterable<Uint8Array | string> & { isTTY: boolean };
  env: Readonly<Record<string, string | undefined>>;
  /** What paths on the command line are relative to. */
  cwd: string;
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after that time, or as soon as the signal fires. */
  delay(ms: number, signal: AbortSignal): Promise<void>;
  /** Fires at Ctrl-C, and with the reason `CLOSED` where nobody reads the output any more. */
  signal: AbortSignal;
  fetch: typeof fetch;
  /** Shows an address in a browser. */
  launch(url: string): void;
}

export const CLOSED = 'nobody reads the output any more';

/** Whether the command was ended by Ctrl-C, not by an output that was closed. */
export const isInterrupted = ({ signal }: Pick<Io, 'signal'>): boolean =>
  signal.aborted && signal.reason !== CLOSED;
