import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf, type Problem } from '../../schemas/errors.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';
import { isThere } from '../files/is-there.ts';
import { mapLimit } from '../files/map-limit.ts';
import { pauseEvery } from '../files/pause.ts';
import { EMPTY_SETTLE_MS, isPutThere, SETTLE_MS, settleMs, statKey, statKeyNow } from '../files/settle.ts';
import { MANIFEST_BYTES_MAX } from '../manifests/manifest.ts';
import { unreadable } from '../manifests/programs-folder.ts';
import { labelOf, MANIFEST_SUFFIX } from '../paths.ts';

const FILES_AT_ONCE = 32;
/** Nothing else waits longer than this for files that are looked at. */
const STATS_MS_MAX = 10;
/** Files between two looks at the clock: a pause that is none costs as much as half a file all the same. */
const STATS_AT_ONCE = 64;
/** It was written between two looks: come back when it had time to settle. */
const SETTLE_AGAIN_MS = SETTLE_MS + 1;

/** One file of `programs/` as a look found it. */
export interface ScannedFile {
  /** The file's name without `.yaml`. */
  name: string;
  /** Equal to the last look's: not read again. */
  key: string;
  /** Undefined where it was not read: unchanged, still being written, or unreadable. */
  text: string | undefined;
  /** Why it can not be read; such a file is there all the same. */
  unreadable: Problem | undefined;
}

export interface Scan {
  /** False when the folder could not be listed: then nothing may be concluded from what is missing. */
  complete: boolean;
  /** Why it is not complete. */
  message: string;
  files: ScannedFile[];
  /** Files that look like manifests but are not read, since no program can have that name. */
  misnamed: string[];
  /** Milliseconds after which to look again because a file was just being written; 0 for none. */
  againMs: number;
}

/** What a file came to at a host before, and its key then; it is taken for read where that is its key still. */
export type Recall = (name: string) => { key: string; text: string } | undefined;

/** Why what is behind a path of the registry is not read, or `""`: see `CommittedLinks`. */
export type Refusal = (path: string) => Promise<string>;

const incomplete = (message: string): Scan => ({
  ...{ complete: false, message, files: [], misnamed: [], againMs: 0 },
});

/**
 * Looks at every manifest, and reads those whose key differs from `known`. Dot files, backups and whatever
 * does not end in `.yaml` are not manifests.
 * @param known name → key of the last look
 * @param nowMs epoch milliseconds
 * @param refusal see there
 */
export async function scanPrograms(
  folder: string,
  known: ReadonlyMap<string, string>,
  nowMs: number,
  refusal: Refusal = async () => '',
  recall: Recall = () => undefined,
): Promise<Scan> {
  const refused = await refusal('programs');
  if (refused !== '') return incomplete(refused);
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    return incomplete(unreadable(error));
  }
  const visible = names.filter((name) => !name.startsWith('.')).sort();
  const all = visible
    .filter((name) => name.endsWith(MANIFEST_SUFFIX))
    .map((name) => name.slice(0, -MANIFEST_SUFFIX.length));
  const stems = all.filter((stem) => NAME_PATTERN.test(stem));
  const misnamed = [
    ...all.filter((stem) => !NAME_PATTERN.test(stem)).map((stem) => `${stem}${MANIFEST_SUFFIX}`),
    ...visible.filter((name) => name.endsWith('.yml')),
  ];
  return {
    ...(await scanFiles(folder, stems, known, nowMs, refusal, recall)),
    complete: true,
    message: '',
    misnamed,
  };
}

/** The same of these files alone; what is not there is left out. */
export async function scanFiles(
  folder: string,
  stems: readonly string[],
  known: ReadonlyMap<string, string>,
  nowMs: number,
  refusal: Refusal = async () => '',
  recall: Recall = () => undefined,
): Promise<Pick<Scan, 'files' | 'againMs'>> {
  let againMs = 0;
  const files: ScannedFile[] = [];
  const before = (name: string) => {
    const key = known.get(name);
    return key === undefined ? recall(name) : { key, text: undefined };
  };
  const same = await unchangedOf(folder, stems, before, refusal);
  const others = stems.filter((name) => !same.has(name));
  const looked = await mapLimit(others, FILES_AT_ONCE, (name) =>
    scanFile(folder, name, { nowMs, refusal, before: before(name)?.key }),
  );
  const found = new Map(others.map((name, index) => [name, looked[index]]));
  const asKnown = (name: string): ScannedFile => ({
    ...{ name, key: known.get(name) ?? '', text: undefined, unreadable: undefined },
  });
  for (const name of stems) {
    const file = same.get(name) ?? found.get(name);
    if (file === undefined) continue;
    if (typeof file === 'number') againMs = againMs === 0 ? file : Math.min(againMs, file);
    files.push(typeof file === 'number' ? asKnown(name) : file);
  }
  return { files, againMs };
}

/**
 * Which files have the key they had, as they were. Thousands are asked for every few seconds, and for that the calls that wait are
 * a fifth of the price of those that do not: 7 µs a file on a local disk, with pauses for everything else.
 */
async function unchangedOf(
  folder: string,
  stems: readonly string[],
  before: (name: string) => Pick<ScannedFile, 'key' | 'text'> | undefined,
  refusal: Refusal,
): Promise<Map<string, ScannedFile>> {
  const same = new Map<string, ScannedFile>();
  const pause = pauseEvery(STATS_MS_MAX);
  for (const [index, name] of stems.entries()) {
    const one = before(name);
    if (one === undefined) continue;
    const isSame = statKeyNow(`${folder}/${name}${MANIFEST_SUFFIX}`) === one.key;
    // Asked of what this host has not read itself: git may have come by it since.
    if (isSame && (one.text === undefined || (await refusal(labelOf(name))) === ''))
      same.set(name, { name, ...one, unreadable: undefined });
    if (index % STATS_AT_ONCE === 0) await pause();
  }
  return same;
}

/** The file; or undefined where it is gone; or the milliseconds until it is settled. */
async function scanFile(
  folder: string,
  name: string,
  { nowMs, refusal, before }: { nowMs: number; refusal: Refusal; before: string | undefined },
): Promise<ScannedFile | number | undefined> {
  const path = join(folder, `${name}${MANIFEST_SUFFIX}`);
  const unreadable = (key: string, why: string): ScannedFile => ({
    name,
    key,
    text: undefined,
    unreadable: { file: labelOf(name), path: '', message: `the file can not be read: ${why}` },
  });
  try {
    const stats = await stat(path, { bigint: true });
    const key = statKey(stats);
    const isEmpty = stats.size === 0n;
    if (isEmpty || !isPutThere(stats, before)) {
      const wait = settleMs(stats, nowMs, isEmpty ? EMPTY_SETTLE_MS : SETTLE_MS);
      if (wait > 0) return wait;
    }
    if (!stats.isFile()) return unreadable(key, 'it is not a file');
    if (stats.size > MANIFEST_BYTES_MAX)
      return unreadable(key, `it is larger than ${MANIFEST_BYTES_MAX} bytes`);
    const file = await open(path, 'r');
    try {
      const text = await file.readFile('utf8');
      const after = statKey(await file.stat({ bigint: true }));
      // Asked afterwards: a link that takes the file's place meanwhile is seen.
      const refused = await refusal(labelOf(name));
      // Looked at each time: it may be taken out of git, which no key tells.
      if (refused !== '') return unreadable('refused', refused);
      return after === key ? { name, key, text, unreadable: undefined } : SETTLE_AGAIN_MS;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return (await isThere(path)) ? unreadable('dangling', 'it is a link to nothing') : undefined;
    }
    return unreadable(`error:${codeOf(error)}`, messageOf(error));
  }
}
