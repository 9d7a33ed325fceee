import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOf } from '../../schemas/build-records.ts';
import { type Build, type BuildRecord, type StepNews, tryIdOf } from '../../schemas/build-step.ts';
import { codeOf } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { type BuildLogs, openBuildLogs } from './build-logs.ts';
import { dataUnavailable } from './data-unavailable.ts';

/** Output that is kept of one build, in bytes as it is written; the text of its log is kept up to 16 MiB. */
const OUTPUT_BYTES_MAX = 2 ** 20;
/** Of one line of output, and of an error, in characters; what comes behind is left off. */
const LINE_CHARACTERS_MAX = 4_096;
/** All of it: hundreds of thousands of steps. */
const RECORD_BYTES_MAX = 16 * 2 ** 20;
/** Builds that are kept of each program, and their bytes: the oldest go, but not the newest one. */
const BUILDS_KEPT = 10;
const BYTES_KEPT = 4 * 2 ** 20;

export interface BuildSteps {
  take(news: StepNews): void;
  /**
   * Writes down how it ended, and keeps it for these programs. Never rejects: a full disk costs the record, not the
   * build.
   */
  end(done: Omit<Extract<BuildRecord, { kind: 'done' }>, 'kind'>, names: readonly string[]): Promise<void>;
}

/**
 * Builds as data: `data/builds/<build_id>.ndjson` of the newest try, readable while it runs, and copies of those that
 * ended in `data/build-history/<name>/` of each program that waited for them. Readers reject `RegistryUnavailable`
 * where the disk refuses; what is damaged is told as far as it can be read.
 */
export interface BuildHistory {
  /** Begins the record of a build anew. @param started RFC 3339 */
  start(buildId: string, started: string): BuildSteps;
  /** The newest try of that build. */
  newest(buildId: string): Promise<Build>;
  /** The records of that try so far and on, a line each, until it ends or the signal fires; those of another try begin anew. */
  follow(buildId: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The builds that a program waited for, newest first. */
  list(name: string): Promise<Build[]>;
  remove(name: string): Promise<void>;
}

export function openBuildHistory(
  builds: string,
  folder: string,
  onWriteError: (error: unknown) => void,
): BuildHistory {
  const records = openBuildLogs(builds, onWriteError, {
    ...{ suffix: '.ndjson', bytesMax: RECORD_BYTES_MAX, ending: '' },
  });
  return {
    start: (buildId, started) =>
      startSteps(records, { kind: 'build', build_id: buildId, started }, async (names) => {
        const from = join(builds, `${buildId}.ndjson`);
        for (const name of names)
          await keep(from, join(folder, name), fileOf(buildId, started)).catch(onWriteError);
      }),
    async newest(buildId) {
      const isOpen = records.isOpen(buildId);
      return buildOf(buildId, await records.read(buildId), isOpen);
    },
    follow: records.follow,
    async list(name) {
      const files = await filesOf(join(folder, name)).catch((error: unknown) => {
        throw dataUnavailable(`build-history/${name}`, 'read', error);
      });
      const found: Build[] = [];
      for (const { file, buildId, started } of files.reverse()) {
        // One that can not be read is told of all the same.
        const text = await readPlainFile(join(folder, name, file)).catch(() => '\n');
        const build = buildOf(buildId, text, false);
        found.push({ ...build, id: tryIdOf(buildId, started), started: build.started ?? started });
      }
      return found;
    },
    async remove(name) {
      await rm(join(folder, name), { recursive: true, force: true }).catch((error: unknown) => {
        throw dataUnavailable(`build-history/${name}`, 'removed', error);
      });
    },
  };
}

function startSteps(
  records: BuildLogs,
  first: Extract<BuildRecord, { kind: 'build' }>,
  keepFor: (names: readonly string[]) => Promise<void>,
): BuildSteps {
  const file = records.start(first.build_id);
  const write = (record: BuildRecord): void => file.write(`${JSON.stringify(record)}\n`);
  let left = OUTPUT_BYTES_MAX;
  write(first);
  return {
    take(news) {
      if (news.kind !== 'output') {
        const short =
          'error' in news ? { ...news, error: cut(news.error) } : { ...news, name: cut(news.name) };
        write(short);
        return;
      }
      if (left <= 0) return;
      const text = cut(news.text);
      left -= Buffer.byteLength(text) + 40;
      write(left > 0 ? { ...news, text } : { kind: 'full' });
    },
    async end(done, names) {
      write({ kind: 'done', ...done, error: cut(done.error) });
      await file.end();
      await keepFor(names);
    },
  };
}

function cut(text: string): string {
  return text.length > LINE_CHARACTERS_MAX ? `${text.slice(0, LINE_CHARACTERS_MAX)}… (cut)` : text;
}

/** Copies a record, and makes room. */
async function keep(from: string, folder: string, file: string): Promise<void> {
  const text = await readPlainFile(from);
  // Not the folder above it, which has to be made whole.
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  await writeAtomic(join(folder, file), text, { mode: 0o600, durable: false });
  let bytes = 0;
  for (const [age, { file: name, size }] of (await filesOf(folder)).reverse().entries()) {
    bytes += size;
    if (age === 0 || (age < BUILDS_KEPT && bytes <= BYTES_KEPT)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

interface KeptFile {
  file: string;
  buildId: string;
  started: string;
  /** In bytes. */
  size: number;
}

/** So that names are in the order in which the builds began. */
function fileOf(buildId: string, started: string): string {
  return `${String(Date.parse(started)).padStart(15, '0')}-${buildId}.ndjson`;
}

/** Oldest first; none where the folder is not there. */
async function filesOf(folder: string): Promise<KeptFile[]> {
  const names = (await readdir(folder).catch(unlessGone)) ?? [];
  const found: KeptFile[] = [];
  for (const file of names.sort()) {
    const [, ms, buildId] = /^(\d{15})-(build-[0-9a-f]{12})\.ndjson$/.exec(file) ?? [];
    const stats = ms === undefined ? undefined : await lstat(join(folder, file)).catch(unlessGone);
    if (stats === undefined || buildId === undefined) continue;
    found.push({ file, buildId, started: timestamp(Number(ms)), size: stats.size });
  }
  return found;
}
