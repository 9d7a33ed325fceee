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

/**
 * The whole hash of what a build gets: the Dockerfile's path, the build args and the context after
 * `.dockerignore`. The same input gives the same hash on every machine.
 * @returns 64 hex digits
 */
export function buildHash(
  dockerfile: string,
  args: Record<string, string>,
  entries: readonly ContextEntry[],
): string {
  const hash = createHash('sha256');
  const field = (text: string | Buffer) => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(length).update(bytes);
  };
  field('hersh-build-v1');
  field(dockerfile);
  const names = Object.keys(args).sort(compareBytes);
  field(String(names.length));
  for (const name of names) {
    field(name);
    field(args[name] ?? '');
  }
  for (const entry of [...entries].sort((a, b) => compareBytes(a.name, b.name))) {
    field(entry.name);
    field(entry.mode.toString(8));
    field(Buffer.from(entry.sha256, 'hex'));
  }
  return hash.digest('hex');
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
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
