/** What images are built from: the files of a context, their hash, `.dockerignore`, snapshots, what a `POST` brings. */

import { buildHash, buildIdOf } from '../../schemas/build-id.ts';
import { AppError } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { MODE_FOLDER } from './entries.ts';
import { restoreContext } from './restore.ts';
import { openSnapshots } from './snapshots.ts';
import type { OnPlace, PlacedSources } from './source-folder.ts';
import type { LocatedEntry } from './tar.ts';
import { type Walk, walkContext } from './walk.ts';

/** A context as it is on the disk now. */
export interface BuildContext {
  /** Whole hash, 64 hex digits. */
  hash: string;
  buildId: string;
  /** Milliseconds after which to look again because a file was just being written; 0 when all are settled. */
  againMs: number;
}

export interface Contexts {
  /**
   * Looks at every file of the context and reads those that changed since the last look.
   * Rejects `BuildFailed` with what to do: gone, leading out of the registry, unreadable, too large; `SourcesHeld`
   * where that says nothing at present.
   */
  look(build: BuildSpec): Promise<BuildContext>;
  /**
   * The path of a tar that holds exactly what `hash` was made of; written once, kept in `data/contexts/`, and written
   * anew where it is damaged. Rejects `ContextChanged` when the files changed meanwhile: look again. Rejects
   * `RegistryUnavailable` where they can not be kept, or what is kept is damaged and there is nothing else; `BuildFailed`
   * where they can not be read.
   */
  snapshot(build: BuildSpec, hash: string): Promise<string>;
  /** Whether a snapshot of that hash is kept, and whole. */
  has(build: BuildSpec, hash: string): Promise<boolean>;
  /** Forgets what was read of every context but these, so that memory does not grow with what is used no more. */
  keepOnly(builds: readonly BuildSpec[]): void;
  /**
   * Puts the kept snapshot of `hash` back under `sources/`, where no folder there holds the same. Rejects `Conflict`
   * where no snapshot is kept, or it is damaged.
   */
  restore(build: BuildSpec, hash: string, buildId: string, onPlace?: OnPlace): Promise<PlacedSources>;
  /** Whether the folder holds just what `hash` was made of. */
  holds(build: BuildSpec, hash: string): Promise<boolean>;
}

/**
 * @param root the registry's root
 * @param snapshots folder for the tars
 * @param now epoch milliseconds
 */
export function openContexts(root: string, snapshots: string, now: () => number): Contexts {
  /** Last look at each context, by folder and Dockerfile: what did not change is not read again. */
  const seen = new Map<string, ReadonlyMap<string, LocatedEntry>>();
  const kept = openSnapshots(snapshots);

  async function walk(build: BuildSpec): Promise<Walk> {
    const key = keyOf(build);
    const known = seen.get(key) ?? new Map();
    const result = await walkContext(root, build, known, now()).catch((error: unknown) => {
      seen.delete(key);
      throw error;
    });
    seen.set(key, result.settled);
    mustHoldDockerfile(build, result);
    return result;
  }

  async function look(build: BuildSpec): Promise<BuildContext> {
    const { entries, againMs } = await walk(build);
    const hash = buildHash(build.dockerfile, build.args, entries);
    return { hash, buildId: buildIdOf(hash), againMs };
  }

  const holds = async (build: BuildSpec, hash: string) =>
    (await look(build).catch(() => undefined))?.hash === hash;

  return {
    look,
    holds,
    has: kept.has,
    keepOnly(builds) {
      const wanted = new Set(builds.map(keyOf));
      for (const key of seen.keys()) if (!wanted.has(key)) seen.delete(key);
    },
    restore(build, hash, buildId, onPlace = async () => undefined) {
      const holdsSame = (context: string) => holds({ ...build, context }, hash);
      const isWhole = () => kept.has(build, hash);
      return restoreContext(root, kept.fileOf(hash), buildId, isWhole, holdsSame, onPlace);
    },
    snapshot: (build, hash) => kept.keep(build, hash, async () => (await walk(build)).entries),
  };
}

function keyOf({ context, dockerfile }: BuildSpec): string {
  return `${context}\0${dockerfile}`;
}

function mustHoldDockerfile({ context, dockerfile }: BuildSpec, { entries, againMs }: Walk): void {
  const isThere = entries.some(({ name, mode }) => name === dockerfile && mode !== MODE_FOLDER);
  if (isThere || againMs > 0) return;
  throw new AppError('BuildFailed', `${context}/${dockerfile} does not exist`, {
    hint: 'Put a Dockerfile there, or name it in spec.build.dockerfile.',
  });
}
