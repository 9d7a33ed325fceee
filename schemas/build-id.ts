import { createHash } from 'node:crypto';
import { LABELS } from './program.ts';

/** One entry of a build context. */
export interface ContextEntry {
  /** Relative to the context, with `/`. */
  name: string;
  /** `0o100644`, `0o100755`, `0o120000` (link) or `0o040000` (folder): the modes git knows. */
  mode: number;
  /** sha256 of the contents (of a link: its target; of a folder: of nothing), hex. */
  sha256: string;
}

/** What a build gets. */
export interface BuildContent {
  /** What `COPY` sees. */
  entries: readonly ContextEntry[];
  /** sha256 of the Dockerfile, hex, where `.dockerignore` keeps it out of the entries. */
  dockerfile?: string;
}

/** After so many entries everything else has its turn. */
const ENTRIES_A_SLICE = 2_000;

/**
 * The whole hash of what a build gets: the Dockerfile's path, the build args, the context after `.dockerignore`, and
 * the Dockerfile in any case. The same input gives the same hash on every machine.
 *
 * The form is versioned. The second one is that of contexts whose Dockerfile is kept out, and of no others, so that
 * these have the hash that they always had.
 * @returns 64 hex digits; yields in between, since a large context takes long
 */
export function* buildHashSteps(
  dockerfile: string,
  args: Record<string, string>,
  content: BuildContent,
): Generator<void, string> {
  const hash = createHash('sha256');
  const field = (text: string | Buffer) => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(length).update(bytes);
  };
  field(content.dockerfile === undefined ? 'hersh-build-v1' : 'hersh-build-v2');
  field(dockerfile);
  if (content.dockerfile !== undefined) field(Buffer.from(content.dockerfile, 'hex'));
  const names = Object.keys(args).sort(compareBytes);
  field(String(names.length));
  for (const name of names) {
    field(name);
    field(args[name] ?? '');
  }
  const entries = yield* sortedByName(content.entries);
  for (const [index, entry] of entries.entries()) {
    if (index > 0 && index % ENTRIES_A_SLICE === 0) yield;
    field(entry.name);
    field(entry.mode.toString(8));
    field(Buffer.from(entry.sha256, 'hex'));
  }
  return hash.digest('hex');
}

/** `buildHashSteps` at one go, for a context that is small. */
export function buildHash(
  dockerfile: string,
  args: Record<string, string>,
  entries: readonly ContextEntry[],
): string {
  const steps = buildHashSteps(dockerfile, args, { entries });
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** In the order of the names' bytes. Sorts parts that take little, and puts them together a slice at a time. */
export function* sortedByName<T extends { name: string }>(entries: readonly T[]): Generator<void, T[]> {
  let parts: T[][] = [];
  for (let at = 0; at < entries.length; at += ENTRIES_A_SLICE) {
    if (at > 0) yield;
    parts.push(entries.slice(at, at + ENTRIES_A_SLICE).sort((a, b) => compareBytes(a.name, b.name)));
  }
  while (parts.length > 1) {
    const merged: T[][] = [];
    for (let at = 0; at < parts.length; at += 2)
      merged.push(yield* merge(parts[at] ?? [], parts[at + 1] ?? []));
    parts = merged;
  }
  return parts[0] ?? [];
}

function* merge<T extends { name: string }>(a: readonly T[], b: readonly T[]): Generator<void, T[]> {
  const merged: T[] = [];
  let left = 0;
  let right = 0;
  while (left < a.length || right < b.length) {
    const [one, other] = [a[left], b[right]];
    const takesLeft = other === undefined || (one !== undefined && compareBytes(one.name, other.name) <= 0);
    merged.push((takesLeft ? a[left++] : b[right++]) as T);
    if (merged.length % ENTRIES_A_SLICE === 0) yield;
  }
  return merged;
}

/** `build-` and the first 12 hex digits: the name people see. */
export function buildIdOf(hash: string): string {
  return `build-${hash.slice(0, 12)}`;
}

/** The repository under which an image is kept and found again. */
export function imageTag(buildId: string): string {
  return `hersh/${buildId}`;
}

/**
 * The whole build hash of an image that a host built, by its labels; undefined of any other. What is committed from a
 * program's container has the same label, and the program's name with it.
 */
export function builtFrom(labels: Readonly<Record<string, string>> | null | undefined): string | undefined {
  return labels?.[LABELS.program] ? undefined : labels?.[LABELS.build];
}

/** Order by the bytes of UTF-8, which differs from JavaScript's order for characters beyond U+FFFF. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one === other) continue;
    return rank(one) - rank(other);
  }
  return a.length - b.length;
}

/** Half of a character beyond U+FFFF is above all others. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
