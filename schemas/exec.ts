import type { LogStream } from './log-piece.ts';

/** What a command that is run in a program's container gives, in its order; the last is how it ended. */
export type ExecPiece = { stream: LogStream; bytes: Uint8Array } | { exitCode: number };

export interface ExecRequest {
  /** The program and its arguments, as the kernel gets them: no shell reads them. */
  command: readonly string[];
  /** What it reads, as it comes; left out, there is nothing to read. */
  stdin?: AsyncIterable<Uint8Array> | undefined;
  /** Fires when nobody waits for it any more. */
  signal: AbortSignal;
}

/** A line of what `POST /programs/{id}/exec` answers. An empty line is a sign that it goes on. */
export type ExecFrame =
  /** The first one: it was begun there. */
  | { container_id: string }
  /** Base64: what a command writes is bytes. */
  | { stream: LogStream; data: string }
  /** The last one, where it ended. */
  | { exit_code: number }
  /** The last one, where that can not be known. */
  | { error: { message: string; hint?: string } };

export const NDJSON = 'application/x-ndjson';
/** All of a command, in bytes. The kernel takes 128 KiB of one argument. */
export const COMMAND_BYTES_MAX = 64 * 1024;
/** Of one program at once. */
export const EXECS_MAX = 8;
