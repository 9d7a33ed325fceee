import { appendFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditLine } from '../../schemas/audit.ts';

/** Of one file, in bytes: some ten thousand lines. */
const FILE_BYTES_MAX = 8 * 2 ** 20;
/** Older ones beside the one that is written. */
const OLDER_MAX = 4;
/** Of what waits for a disk that is slow or full; what comes then is lost, and told. */
const WAITING_MAX = 10_000;

export interface AuditLog {
  /** Never waits and never throws. */
  write(line: AuditLine): void;
  /** Resolves when all that was written is out. Never rejects. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  fileBytesMax?: number;
  /** Told of the first line that can not be written, until one can again. */
  onError: (error: unknown) => void;
}

/** `data/audit.ndjson`, a line for each change; full, it becomes `audit.1.ndjson`, and so on. */
export function openAuditLog(
  data: string,
  { fileBytesMax = FILE_BYTES_MAX, onError }: AuditLogOptions,
): AuditLog {
  const path = (age: number) => join(data, age === 0 ? 'audit.ndjson' : `audit.${age}.ndjson`);
  let waiting: string[] = [];
  let writing: Promise<void> | undefined;
  let isFailing = false;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      try {
        await turnOver();
        await appendFile(path(0), lines.join(''), { mode: 0o600 });
        isFailing = false;
      } catch (error) {
        tell(error);
      }
    }
    writing = undefined;
  }

  async function turnOver(): Promise<void> {
    const size = await stat(path(0)).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size < fileBytesMax) return;
    await rm(path(OLDER_MAX), { force: true });
    for (let age = OLDER_MAX - 1; age >= 0; age--)
      await rename(path(age), path(age + 1)).catch(() => undefined);
  }

  function tell(error: unknown): void {
    if (!isFailing) onError(error);
    isFailing = true;
  }

  return {
    write(line) {
      if (waiting.length >= WAITING_MAX) return tell(new Error('too many lines wait for the disk'));
      waiting.push(`${JSON.stringify(line)}\n`);
      writing ??= writeAll();
    },
    close: async () => writing,
  };
}
