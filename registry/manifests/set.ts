import { createHash } from 'node:crypto';
import type { Problem } from '../../schemas/errors.ts';
import type { ManifestEntry } from '../../schemas/wanted.ts';
import { createFoldedNames } from './folded-names.ts';
import type { ParsedManifest } from './manifest.ts';

/** The manifests as last read. Of names that differ by case only the first counts. */
export interface ManifestSet {
  get(name: string): ManifestEntry | undefined;
  /** Sorted by name. */
  list(): ManifestEntry[];
  names(): Iterable<string>;
  size(): number;
  /** Stat keys of the files as last read. */
  readonly keys: ReadonlyMap<string, string>;
  /** The file's name, without `.yaml`, of a manifest that says this one is its own: it was moved, or copied. */
  movedTo(name: string): string | undefined;
  /** Another name that differs by case only and was there first. */
  clashOf(name: string): string | undefined;
  /**
   * Takes in a text.
   * @param key of the file it was read from; undefined where the file is to be read again at the next look
   * @returns whether that changed anything
   */
  take(name: string, text: string, key: string | undefined): boolean;
  /** Takes in that a file is there and can not be read. Gives whether that changed anything. */
  takeUnreadable(name: string, problem: Problem, key: string): boolean;
  /** Forgets a file that is gone. Gives whether there was one that has to be read again because of it. */
  drop(name: string): boolean;
}

/** @param label the file's name for people, e.g. `programs/x.yaml` */
export function createManifestSet(
  parse: (name: string, text: string) => ParsedManifest,
  label: (name: string) => string,
): ManifestSet {
  const entries = new Map<string, ManifestEntry>();
  const keys = new Map<string, string>();
  const folded = createFoldedNames();
  /** Which name each one was refused for. */
  const refusedFor = new Map<string, string>();
  /** What each file calls its program, where that is not what the file is called. */
  const misnamed = new Map<string, string>();

  /** Undefined where one came, went or changed since they were asked for. */
  let sorted: readonly ManifestEntry[] | undefined;

  const clashOf = (name: string) => {
    const first = folded.first(name);
    return first === name ? undefined : first;
  };
  const keep = (entry: ManifestEntry, key: string | undefined) => {
    folded.add(entry.name);
    if (entries.get(entry.name) !== entry) sorted = undefined;
    entries.set(entry.name, entry);
    if (key === undefined) keys.delete(entry.name);
    else keys.set(entry.name, key);
  };

  return {
    keys,
    clashOf,
    movedTo: (name) => [...misnamed].find(([, written]) => written === name)?.[0],
    get: (name) => entries.get(name),
    list() {
      sorted ??= sortedOf(entries);
      return [...sorted];
    },
    names: () => entries.keys(),
    size: () => entries.size,
    take(name, text, key) {
      const before = entries.get(name);
      const clash = clashOf(name);
      const etag = etagOf(text);
      const isSame = before?.etag === etag && refusedFor.get(name) === clash;
      if (before !== undefined && isSame) {
        keep(before, key);
        return false;
      }
      const parsed = parse(name, text);
      const problems =
        clash === undefined ? parsed.problems : [...parsed.problems, caseProblem(label(name), clash)];
      const program = problems.length === 0 ? parsed.program : undefined;
      noteIn(refusedFor, name, clash);
      noteIn(misnamed, name, [name, ''].includes(parsed.writtenName) ? undefined : parsed.writtenName);
      keep({ name, text, etag, program, problems }, key);
      return true;
    },
    takeUnreadable(name, problem, key) {
      const before = entries.get(name)?.problems[0];
      keep({ name, text: '', etag: '', program: undefined, problems: [problem] }, key);
      return before?.message !== problem.message;
    },
    drop(name) {
      sorted = undefined;
      entries.delete(name);
      keys.delete(name);
      misnamed.delete(name);
      refusedFor.delete(name);
      const waiting = folded.delete(name).filter((other) => refusedFor.get(other) === name);
      for (const other of waiting) keys.delete(other);
      return waiting.length > 0;
    },
  };
}

function sortedOf(entries: ReadonlyMap<string, ManifestEntry>): ManifestEntry[] {
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @param other undefined for none */
function noteIn(names: Map<string, string>, name: string, other: string | undefined): void {
  if (other === undefined) names.delete(name);
  else names.set(name, other);
}

function caseProblem(file: string, clash: string): Problem {
  const message = `metadata.name differs from ${clash} by case only: choose another name`;
  return { file, path: 'metadata.name', message };
}

/** Strong ETag of a text, without the quotes: 32 hex digits of its sha256. */
export function etagOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
