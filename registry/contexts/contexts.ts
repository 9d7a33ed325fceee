/** What images are built from: the files of a context, their hash, `.dockerignore`, snapshots, what a `POST` brings. */

import { buildIdOf, type ContextEntry } from '../../schemas/build-id.ts';
import { AppError } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { MODE_FOLDER } from './entries.ts';
import type { MayLink } from './folder.ts';
import { FORM, type Form, OLDER_FORM } from './form.ts';
import { restoreContext } from './restore.ts';
import { hashOf, openSnapshots, type Snapshot } from './snapshots.ts';
import type { OnPlace, PlacedSources } from './source-folder.ts';
import { createStandstill } from './standstill.ts';
import { type LocatedEntry, readTar, type Sifted } from './tar.ts';
import { type Walk, walkContext } from './walk.ts';
import { createWork } from './work.ts';

/** A context as it is on the disk now. */
export interface BuildContext {
  /** Whole hash, 64 hex digits. */
  hash: string;
  buildId: string;
  /** Milliseconds after which to look again because a file was just being written; 0 when all are settled. */
  againMs: number;
}

export interface Contexts {
  /** Whether `sources/` may be a link to elsewhere. */
  mayLink: MayLink;
  /**
   * Looks at every file of the context and reads those that changed since the last look.
   * Rejects `BuildFailed` with what to do: gone, leading out of the registry, unreadable, too large; `SourcesHeld`
   * where that says nothing at present.
   */
  look(build: BuildSpec): Promise<BuildContext>;
  /**
   * The hash that a host gave to the same files before there was a second form of it: an image that is known by that
   * one is not built again. Undefined where they can not be read so.
   */
  olderHash(build: BuildSpec): Promise<string | undefined>;
  /**
   * A tar that holds exactly what `hash`, of either form, was made of; written once, kept in `data/contexts/`, and
   * written anew where it is damaged. Rejects `ContextChanged` when the files changed meanwhile: look again. Rejects
   * `RegistryUnavailable` where they can not be kept, or what is kept is damaged and there is nothing else; `BuildFailed`
   * where they can not be read, or did not stand still three times.
   */
  snapshot(build: BuildSpec, hash: string): Promise<Snapshot>;
  /** Whether a snapshot of that hash is kept, and whole. */
  has(build: BuildSpec, hash: string): Promise<boolean>;
  /** The files and links that `hash` was made of, by what is kept of it; undefined where nothing is, or it is damaged. */
  filesOf(build: BuildSpec, hash: string): Promise<ContextEntry[] | undefined>;
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
 * @param mayLink where no git is asked, whoever made the link may write the registry
 */
export function openContexts(
  root: string,
  snapshots: string,
  now: () => number,
  mayLink: MayLink = async () => true,
): Contexts {
  /** Last look at each context, by folder and Dockerfile: what did not change is not read again. */
  const seen = new Map<string, ReadonlyMap<string, LocatedEntry>>();
  const standstill = createStandstill();
  const kept = openSnapshots(snapshots);

  function walkAs(form: Form, build: BuildSpec): Promise<Walk> {
    const before = seen.get(keyOf(build)) ?? new Map();
    return walkContext({ root, mayLink, build, form, work: createWork(), before, nowMs: now() });
  }

  async function walk(build: BuildSpec): Promise<Walk> {
    const key = keyOf(build);
    const result = await walkAs(FORM, build).catch((error: unknown) => {
      seen.delete(key);
      throw error;
    });
    seen.set(key, result.settled);
    mustHoldDockerfile(build, result);
    return result;
  }

  async function look(build: BuildSpec): Promise<BuildContext> {
    const result = await walk(build);
    standstill.saw(keyOf(build), result);
    const hash = await hashOf(build, result);
    return { hash, buildId: buildIdOf(hash), againMs: result.againMs };
  }

  async function olderHash(build: BuildSpec): Promise<string | undefined> {
    const result = await walkAs(OLDER_FORM, build).catch(() => undefined);
    return result && hashOf(build, result);
  }

  const holds = async (build: BuildSpec, hash: string) =>
    (await look(build).catch(() => undefined))?.hash === hash || (await olderHash(build)) === hash;

  /** The context in the form whose hash this is; in today's where it is neither's. */
  async function inFormOf(build: BuildSpec, hash: string): Promise<Sifted<LocatedEntry>> {
    const result = await walk(build);
    if ((await hashOf(build, result)) === hash) return result;
    const older = await walkAs(OLDER_FORM, build).catch(() => undefined);
    if (older !== undefined && (await hashOf(build, older)) === hash) return older;
    standstill.differs(keyOf(build), result);
    return result;
  }

  return {
    ...{ mayLink, look, holds, olderHash, has: kept.has },
    keepOnly(builds) {
      const wanted = new Set(builds.map(keyOf));
      for (const key of seen.keys()) if (!wanted.has(key)) seen.delete(key);
      standstill.keepOnly(wanted);
    },
    async filesOf(build, hash) {
      if (!(await kept.has(build, hash))) return undefined;
      const { entries, aside } = await readTar(kept.fileOf(hash));
      return [...entries, ...aside].filter(({ mode }) => mode !== MODE_FOLDER);
    },
    restore(build, hash, buildId, onPlace = async () => undefined) {
      const holdsSame = (context: string) => holds({ ...build, context }, hash);
      const isWhole = () => kept.has(build, hash);
      return restoreContext(root, kept.fileOf(hash), buildId, isWhole, holdsSame, onPlace);
    },
    snapshot: (build, hash) =>
      standstill.watch(keyOf(build), build.context, () =>
        kept.keep(build, hash, () => inFormOf(build, hash)),
      ),
  };
}

function keyOf({ context, dockerfile }: BuildSpec): string {
  return `${context}\0${dockerfile}`;
}

function mustHoldDockerfile({ context, dockerfile }: BuildSpec, { entries, aside, againMs }: Walk): void {
  const isIt = ({ name, mode }: LocatedEntry) => name === dockerfile && mode !== MODE_FOLDER;
  if (aside.some(isIt) || entries.some(isIt) || againMs > 0) return;
  throw new AppError('BuildFailed', `${context}/${dockerfile} does not exist`, {
    hint: 'Put a Dockerfile there, or name it in spec.build.dockerfile.',
  });
}
