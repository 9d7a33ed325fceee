import type { BuildContext, Contexts } from '../../registry/contexts/contexts.ts';
import type { Snapshot } from '../../registry/contexts/snapshots.ts';
import { SourcesHeld } from '../../registry/git/sources-held.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { BuildSpec } from '../../schemas/program.ts';

/** A context that gave no hint is looked at again after this (design: numbers, rescan of files). */
const FRESH_MS = 10_000;
/** A context that never stands still, or can not be used, is taken as it is after this. */
const SETTLE_MS_MAX = 2_000;
/** One that can not be used is looked at again after this, until then. */
const AGAIN_MS = 100;

/** The context was being written just now; look again in `againMs`. */
export class ContextNotSettled extends Error {
  readonly againMs: number;
  constructor(againMs: number) {
    super('the context is being written');
    this.againMs = againMs;
  }
}

/** Hashes of the contexts in use, so that not every pass walks every source tree. */
export interface ContextCache {
  /**
   * The context's hash, at most FRESH_MS old where no hint came; the last one known while sources are held.
   * @param generation of the spec that asks: a changed spec always gets a fresh look
   * @throws ContextNotSettled while files are being written; `SourcesHeld` where that lasts and nothing is known; what
   * else `Contexts.look` rejects with, once it has for long
   */
  look(build: BuildSpec, generation: number): Promise<BuildContext>;
  /**
   * See `Contexts.olderHash`; asked once for what the build gets today, so that what an editor lays there and takes away
   * is no news under the older rules either.
   */
  olderHash(build: BuildSpec, hash: string): Promise<string | undefined>;
  /** See `Contexts.snapshot`. Where the sources changed since they were looked at, the next pass looks anew. */
  snapshot(build: BuildSpec, hash: string): Promise<Snapshot>;
  /** Takes a hint: paths relative to the registry that changed. */
  invalidate(paths: ReadonlySet<string>): void;
  /**
   * Finds what no hint told, and forgets contexts that nobody uses.
   * @param builds what the programs that should run are built from
   * @returns those that changed
   */
  relook(builds: readonly BuildSpec[]): Promise<BuildSpec[]>;
}

export function createContextCache(contexts: Contexts, clock: Clock): ContextCache {
  const known = new Map<string, { look: BuildContext; generation: number; atMs: number }>();
  const unsettledSince = new Map<string, number>();
  const older = new Map<string, { hash: string; olderHash: string | undefined }>();

  function invalidate(paths: ReadonlySet<string>): void {
    for (const key of known.keys()) if (concerns(JSON.parse(key) as BuildSpec, paths)) known.delete(key);
  }

  return {
    async look(build, generation) {
      const key = JSON.stringify(build);
      const before = known.get(key);
      const now = clock.monotonic();
      if (before?.generation === generation && now - before.atMs < FRESH_MS) return before.look;
      const mayWait = (): boolean => {
        const since = unsettledSince.get(key) ?? now;
        unsettledSince.set(key, since);
        return now - since < SETTLE_MS_MAX;
      };
      const look = await contexts.look(build).catch((error: unknown) => {
        if (error instanceof SourcesHeld) return error;
        // What is gone, or does not fit together, may be half way through a checkout.
        if (mayWait()) throw new ContextNotSettled(AGAIN_MS);
        throw error;
      });
      if (look instanceof SourcesHeld) {
        // For a moment only where the spec is the one they were looked at for: it may have come with others.
        if (before !== undefined && (look.lasts || before.generation === generation)) return before.look;
        throw look.lasts ? look : new ContextNotSettled(look.againMs);
      }
      if (look.againMs > 0 && mayWait()) throw new ContextNotSettled(look.againMs);
      unsettledSince.delete(key);
      known.set(key, { look, generation, atMs: now });
      return look;
    },
    async olderHash(build, hash) {
      const key = JSON.stringify(build);
      const before = older.get(key);
      if (before?.hash === hash) return before.olderHash;
      const olderHash = await contexts.olderHash(build);
      older.set(key, { hash, olderHash });
      return olderHash;
    },
    async snapshot(build, hash) {
      try {
        return await contexts.snapshot(build, hash);
      } catch (error) {
        if (!(error instanceof SourcesHeld)) invalidate(new Set([build.context]));
        throw error;
      }
    },
    invalidate,
    async relook(builds) {
      const wanted = new Map(builds.map((build) => [JSON.stringify(build), build]));
      for (const map of [known, unsettledSince, older])
        for (const key of map.keys()) if (!wanted.has(key)) map.delete(key);
      contexts.keepOnly(builds);
      const changed: BuildSpec[] = [];
      for (const [key, build] of wanted) {
        const before = known.get(key)?.look;
        const look = await contexts
          .look(build)
          .catch((error: unknown) => (error instanceof SourcesHeld ? before : undefined));
        if (look !== undefined && look.hash === before?.hash) continue;
        known.delete(key);
        changed.push(build);
      }
      return changed;
    },
  };
}

/** Whether a changed path lies in, or above, the context. */
export function concerns({ context }: BuildSpec, paths: ReadonlySet<string>): boolean {
  if (context === '.') return paths.size > 0;
  return [...paths].some(
    (path) => path === context || path.startsWith(`${context}/`) || context.startsWith(`${path}/`),
  );
}
