import { createHash } from 'node:crypto';
import type { Problem } from '../schemas/errors.ts';
import type { ParsedManifest } from './manifest.ts';
import { labelOf } from './manifest-files.ts';
import type { ManifestEntry } from './registry.ts';
import type { ScannedFile } from './scan.ts';

/** The manifests that are there, as they were last read. */
export interface ManifestSet {
  /** Stat keys of the files as last read, for the next look. */
  readonly keys: ReadonlyMap<string, string>;
  readonly size: number;
  has(name: string): boolean;
  get(name: string): ManifestEntry | undefined;
  names(): string[];
  entries(): ManifestEntry[];
  /** Another name that differs by case only and was there first. */
  clashOf(name: string): string | undefined;
  /** Takes in a text that was read or written, with the stat key of its file. */
  put(name: string, text: string, key: string): ManifestEntry;
  /** Takes in what a look found of one file. Gives whether that is news. */
  take(file: ScannedFile): boolean;
  drop(name: string): void;
}

export function createManifestSet(parse: (name: string, text: string) => ParsedManifest): ManifestSet {
  const entries = new Map<string, ManifestEntry>();
  /** Names by their lower-case form, in order of appearance. */
  const folded = new Map<string, Set<string>>();
  const keys = new Map<string, string>();

  const clashOf = (name: string) =>
    [...(folded.get(name.toLowerCase()) ?? [])].find((other) => other !== name);

  function keep(entry: ManifestEntry, key: string): ManifestEntry {
    const fold = entry.name.toLowerCase();
    folded.set(fold, (folded.get(fold) ?? new Set()).add(entry.name));
    entries.set(entry.name, entry);
    keys.set(entry.name, key);
    return entry;
  }

  function put(name: string, text: string, key: string): ManifestEntry {
    const clash = clashOf(name);
    const parsed = parse(name, text);
    const problems = clash === undefined ? parsed.problems : [...parsed.problems, caseProblem(name, clash)];
    const program = problems.length === 0 ? parsed.program : undefined;
    return keep({ name, text, etag: etagOf(text), program, problems }, key);
  }

  return {
    keys,
    clashOf,
    put,
    get size() {
      return entries.size;
    },
    has: (name) => entries.has(name),
    get: (name) => entries.get(name),
    names: () => [...entries.keys()],
    entries: () => [...entries.values()],
    take({ name, text, key, unreadable }) {
      const before = entries.get(name);
      if (text !== undefined) {
        if (before?.text === text && before.program !== undefined) {
          keys.set(name, key);
          return false;
        }
        put(name, text, key);
        return true;
      }
      if (unreadable === undefined) return false;
      keep({ name, text: '', etag: etagOf(''), program: undefined, problems: [unreadable] }, key);
      return before?.problems[0]?.message !== unreadable.message;
    },
    drop(name) {
      entries.delete(name);
      keys.delete(name);
      const same = folded.get(name.toLowerCase());
      same?.delete(name);
      // One that was refused because of this one is read again at the next look.
      for (const other of same ?? []) keys.delete(other);
    },
  };
}

function caseProblem(name: string, clash: string): Problem {
  const message = `metadata.name differs from ${clash} by case only: choose another name`;
  return { file: labelOf(name), path: 'metadata.name', message };
}

/** Strong ETag of a text, without the quotes: 32 hex digits of its sha256. */
export function etagOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
