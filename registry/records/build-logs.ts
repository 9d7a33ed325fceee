import { constants, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { openPlainFile, readPlainFile } from '../files/read-plain-file.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { dataUnavailable } from './data-unavailable.ts';

/** The most that is kept of one build's output; what comes after is dropped with a word. */
const LOG_BYTES_MAX = 16 * 2 ** 20;
const READ_BYTES = 64 * 2 ** 10;
/** As `w`; of a pipe that nobody reads it is said that it can not be written, instead of waiting for somebody. */
const ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK;

export interface BuildLogWriter {
  write(text: string): void;
  /** Resolves when all is in the file. Never rejects: a full disk costs the log, not the build. */
  end(): Promise<void>;
}

/** `data/builds/<build_id>.log`, readable while the build runs. */
export interface BuildLogs {
  /** Starts the log of a build anew. */
  start(buildId: string): BuildLogWriter;
  isOpen(buildId: string): boolean;
  /** `""` where there is none. Rejects `RegistryUnavailable` where it can not be read. */
  read(buildId: string): Promise<string>;
  /** What there is and what comes, until the build ends or the signal fires. */
  follow(buildId: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What is kept of a build in one file. */
export interface BuildFileForm {
  suffix: string;
  /** The most of it, in bytes; what comes after is dropped, with this in its place. */
  bytesMax: number;
  ending: string;
}

const TEXT: BuildFileForm = {
  suffix: '.log',
  bytesMax: LOG_BYTES_MAX,
  ending: '\n(the log is longer than is kept)\n',
};

export function openBuildLogs(
  folder: string,
  onWriteError: (error: unknown) => void,
  { suffix, bytesMax, ending }: BuildFileForm = TEXT,
): BuildLogs {
  /** Of each build that runs: whom to wake when there is more. */
  const active = new Map<string, Set<() => void>>();
  const fileOf = (buildId: string) => join(folder, `${buildId}${suffix}`);

  return {
    isOpen: (buildId) => active.has(buildId),
    start(buildId) {
      const wake = new Set<() => void>();
      active.set(buildId, wake);
      // Numbers are taken, whatever the type says.
      const file = createWriteStream(fileOf(buildId), { mode: 0o600, flags: ANEW as unknown as string });
      file.on('error', onWriteError);
      let bytes = 0;
      const notify = () => {
        for (const listener of [...wake]) listener();
      };
      return {
        write(text) {
          if (bytes > bytesMax || file.destroyed) return;
          bytes += Buffer.byteLength(text);
          file.write(bytes > bytesMax ? ending : text, notify);
        },
        end: () =>
          new Promise((resolve) => {
            const done = () => {
              if (active.get(buildId) === wake) active.delete(buildId);
              notify();
              resolve();
            };
            if (file.destroyed) done();
            else file.end().once('close', done);
          }),
      };
    },
    async read(buildId) {
      try {
        return (await readPlainFile(fileOf(buildId)).catch(unlessGone)) ?? '';
      } catch (error) {
        throw dataUnavailable(`builds/${buildId}${suffix}`, 'read', error);
      }
    },
    async *follow(buildId, signal) {
      let woken = () => {};
      const onAbort = () => woken();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        let offset = 0;
        let before: Set<() => void> | undefined;
        while (!signal.aborted) {
          const wake = active.get(buildId);
          // The build was started again: its log begins anew.
          if (wake !== undefined && before !== undefined && wake !== before) offset = 0;
          before = wake;
          // Registered before reading, so that what is written meanwhile is not missed.
          const more = new Promise<void>((resolve) => {
            woken = resolve;
            wake?.add(resolve);
          });
          try {
            for await (const chunk of readFrom(fileOf(buildId), offset)) {
              offset += chunk.length;
              yield chunk;
              if (signal.aborted) return;
            }
            if (wake === undefined) return;
            await more;
          } finally {
            wake?.delete(woken);
          }
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}

async function* readFrom(path: string, start: number): AsyncGenerator<Uint8Array> {
  const file = await openPlainFile(path).catch(() => undefined);
  if (file === undefined) return;
  try {
    let position = start;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
