import { AppError, describeProblem } from '../../schemas/errors.ts';
import { NAME_PATTERN, type Program } from '../../schemas/program.ts';
import type { Asked, ManifestEntry } from '../../schemas/wanted.ts';
import type { OnPlace, PlacedSources } from '../contexts/source-folder.ts';
import { writeSources } from '../contexts/sources.ts';
import type { Reversible } from '../files/reversible.ts';
import type { Serial } from '../files/serial.ts';
import type { Git } from '../git/git.ts';
import { removeFolder, type SourcesKeeper, sourcesFolderOf, together } from '../git/kept-sources.ts';
import type { Intent } from '../git/lock.ts';
import { editManifest, replaceSpec } from './edit-text.ts';
import { type FileEdit, labelOf, type ManifestFiles, notFound } from './files.ts';
import { newManifest, type ParsedManifest } from './manifest.ts';
import { etagOf, type ManifestSet } from './set.ts';

/** What a `POST /programs` brought. */
export interface NewSources {
  userId: string;
  buildId: string;
  files: ReadonlyMap<string, string>;
}

/** A spec, and the sources that were put in place for it, if any. */
export interface MadeSpec {
  spec: Record<string, unknown>;
  placed?: PlacedSources | undefined;
}

/**
 * The edits of the API. Where the registry is a git work tree, every one is a commit with the words of `intent`, and
 * is refused as `Git.record` says; the files are then as before. The promise resolves, and others learn of it, when
 * it is made.
 */
export interface ManifestEdits {
  /** Writes a new manifest. Rejects `Conflict` where the file, or one that differs by case only, is there. */
  create(name: string, text: string, intent?: Intent): Promise<ManifestEntry>;
  /** Writes what a `POST` brought under `sources/`, and a manifest of a stopped program that is built from it. */
  createFromSources(name: string, sources: NewSources, intent?: Intent): Promise<ManifestEntry>;
  /** Replaces a manifest. Rejects `PreconditionFailed` unless the file on the disk is the one `etag` names. */
  replace(name: string, text: string, etag: string, intent?: Intent): Promise<ManifestEntry>;
  /**
   * Sets fields of `spec` in the file as it is on the disk now. Of one that is not valid, the last valid spec is
   * changed as well; one that does not even parse stays as it is. Rejects `NotFound`.
   */
  editSpec(name: string, fields: Asked, intent?: Intent): Promise<ManifestEntry>;
  /**
   * Makes `spec` another one, see `replaceSpec` of edit-manifest.ts. Rejects `NotFound`, `Conflict` where the file is
   * not valid, and as `make` does. Sources that it put in place are gone again when the edit is refused.
   */
  replaceSpec(
    name: string,
    make: (onPlace: OnPlace) => Promise<MadeSpec>,
    intent?: Intent,
  ): Promise<ManifestEntry>;
  /** Moves the manifest to the trash. Rejects `NotFound`. */
  remove(name: string, intent?: Intent): Promise<void>;
  /** The same for some whose manifests are missing: all or none, and one commit where HEAD has any of them. */
  removeMissing(names: readonly string[], intent?: Intent): Promise<void>;
}

export interface ManifestEditsOptions {
  root: string;
  git: Git | undefined;
  manifests: ManifestSet;
  files: ManifestFiles;
  sources: SourcesKeeper;
  /** Looks and edits go one after the other. */
  exclusive: Serial;
  parse: (name: string, text: string) => ParsedManifest;
  /** Who owns a program, as far as is known: the author of what nobody signed. */
  ownerOf: (name: string) => string;
  /** Whether a program of that name has no manifest, and nobody has stated yet that it is to be gone. */
  isMissing: (name: string) => boolean;
  /** What the last valid spec of a program is built from. */
  lastContextOf: (name: string) => string | undefined;
  /** Takes in what was written, and tells of it. */
  written: (name: string, text: string, asked?: Asked) => Promise<ManifestEntry>;
  removed: (name: string) => void;
}

export function createManifestEdits(options: ManifestEditsOptions): ManifestEdits {
  const { root, git, manifests, files, sources, exclusive, parse, written } = options;

  async function writeNew(name: string, text: string): Promise<FileEdit> {
    if (!NAME_PATTERN.test(name)) throw new AppError('BadRequest', `${name} is not a valid program name`);
    const clash = manifests.get(name) === undefined ? manifests.clashOf(name) : name;
    if (clash !== undefined) throw new AppError('Conflict', `${labelOf(clash)} exists already`);
    return files.create(name, text);
  }

  /** The edit of a manifest, and the sources that were put in place for it: both or neither. */
  async function withSources(
    placed: PlacedSources | undefined,
    write: () => Promise<FileEdit>,
  ): Promise<FileEdit> {
    if (placed?.isNew !== true) return write();
    const folder = { undo: () => removeFolder(root, placed.context), done: async () => undefined };
    try {
      const manifest = await write();
      return { ...together(manifest, folder), text: manifest.text };
    } catch (error) {
      await folder.undo();
      throw error;
    }
  }

  const contextIn = (name: string, text: string) => contextOf(parse(name, text).program);
  const contextBefore = (name: string) => contextOf(manifests.get(name)?.program);
  const contextLeft = (name: string) =>
    options.isMissing(name) ? options.lastContextOf(name) : contextBefore(name);

  /**
   * Makes an edit of a manifest and, in a git work tree, its commit, as one: a look sees neither or both. Sources
   * that the manifest begins to name go into the commit, those that nothing names any more go with it.
   * @param names the program; more than one where all are removed
   * @param contextAfter the context that the manifest will name, as far as that is known before
   * @param isCommit whether there is anything to commit, where there is git
   */
  function edit<T>(
    names: readonly string[],
    intent: Intent | undefined,
    contextAfter: (before: string | undefined) => string | undefined,
    write: (onPlace: OnPlace) => Promise<FileEdit>,
    tell: (text: string) => Promise<T>,
    isCommit = true,
  ): Promise<T> {
    const quietly = async () => undefined;
    if (git === undefined || !isCommit) return exclusive(async () => tell((await write(quietly)).text ?? ''));
    const [name = ''] = names;
    const said = intent ?? { author: options.ownerOf(name), message: `edit ${name}` };
    return git.record(said, labelOf(name), (commit, note) =>
      exclusive(async () => {
        const before = contextBefore(name);
        const expected = contextAfter(before);
        const left = names.map(contextLeft).filter((context) => context !== expected);
        const leaving = await sources.leaving(names, left);
        const pathsWith = (context: string | undefined, gone: readonly string[]) => [
          ...names.map(labelOf),
          ...[before === context ? undefined : sourcesFolderOf(context), ...gone].filter(isPath),
        ];
        // Before the first file is touched: a host that is killed from now on finds all of it, or nothing.
        await note({ paths: pathsWith(expected, leaving) });
        const made = await write(({ context, isNew }) =>
          note({ paths: pathsWith(context, leaving), ...(isNew ? { brought: context } : {}) }),
        );
        const after = made.text === undefined ? undefined : contextIn(name, made.text);
        const gone: string[] = [];
        let change: Reversible = made;
        for (const folder of leaving) {
          const moved = folder === sourcesFolderOf(after) ? undefined : await sources.release(folder);
          if (moved === undefined) continue;
          change = together(change, moved);
          gone.push(folder);
        }
        try {
          await commit(pathsWith(after, gone));
        } catch (error) {
          await change.undo();
          throw error;
        }
        try {
          return await tell(made.text ?? '');
        } finally {
          await change.done();
        }
      }),
    );
  }

  /** Asked again now: git may have been waited for, and what came back meanwhile is not meant. */
  async function letGo(names: readonly string[]): Promise<FileEdit> {
    for (const name of names) {
      if (!(await files.isThere(name))) continue;
      const message = `${labelOf(name)} came back meanwhile; nothing was pruned`;
      throw new AppError('Conflict', message, {
        hint: 'GET /readyz says what is still missing; call again.',
      });
    }
    let all: Reversible = { undo: async () => undefined, done: async () => undefined };
    for (const name of names) {
      try {
        all = together(all, await files.discard(name));
      } catch (error) {
        await all.undo();
        throw error;
      }
    }
    return { ...all, text: undefined };
  }

  async function rewrite(name: string, change: (text: string) => string): Promise<FileEdit> {
    try {
      return await files.rewrite(name, change);
    } catch (error) {
      const isNotThere = error instanceof AppError && error.reason === 'NotFound';
      if (!isNotThere || !(manifests.get(name) !== undefined || options.isMissing(name))) throw error;
      // It is shown, and kept running: it can not be said to be nowhere.
      throw new AppError('RegistryUnavailable', `${labelOf(name)} is missing`, {
        hint: 'Put the file back, or DELETE the program if it is to go.',
      });
    }
  }

  function setFields(name: string, text: string, fields: Asked): string {
    try {
      return editManifest(text, fields);
    } catch (error) {
      if (parse(name, text).problems.length === 0) throw error;
      return text;
    }
  }

  function mustBeValid(name: string, text: string): string {
    const { problems } = parse(name, text);
    if (problems.length === 0) return text;
    throw new AppError('Conflict', `${problems.map(describeProblem)[0]}`, {
      hint: 'The manifest has to be valid before it can be edited by a call: mend the file, or PUT a new one.',
      details: problems,
    });
  }

  return {
    create: (name, text, intent) =>
      edit(
        [name],
        intent,
        () => contextIn(name, text),
        () => writeNew(name, text),
        (now) => written(name, now),
      ),
    createFromSources: (name, { userId, buildId, files: brought }, intent) =>
      edit(
        [name],
        intent,
        () => undefined,
        async (onPlace) => {
          const placed = await writeSources(root, buildId, brought, onPlace);
          return withSources(placed, async () => writeNew(name, newManifest(name, userId, placed.context)));
        },
        (now) => written(name, now),
      ),
    replace: (name, text, etag, intent) =>
      edit(
        [name],
        intent,
        () => contextIn(name, text),
        () =>
          rewrite(name, (current) => {
            if (etagOf(current) === etag) return text;
            throw new AppError('PreconditionFailed', `${labelOf(name)} was changed since you read it`, {
              hint: 'Get the manifest again, repeat your edit on it and send it with its new ETag as If-Match.',
            });
          }),
        (now) => written(name, now),
      ),
    editSpec: (name, fields, intent) =>
      edit(
        [name],
        intent,
        (before) => before,
        () => rewrite(name, (text) => setFields(name, text, fields)),
        (now) => written(name, now, fields),
      ),
    replaceSpec: (name, make, intent) =>
      edit(
        [name],
        intent,
        () => undefined,
        async (onPlace) => {
          const { spec, placed } = await make(onPlace);
          return withSources(placed, () =>
            rewrite(name, (text) => replaceSpec(mustBeValid(name, text), spec)),
          );
        },
        (now) => written(name, now),
      ),
    remove: (name, intent) =>
      edit(
        [name],
        intent,
        () => undefined,
        async () => {
          if (manifests.get(name) === undefined && !options.isMissing(name)) throw notFound(name);
          return files.discard(name);
        },
        async () => options.removed(name),
      ),
    removeMissing: (names, intent) =>
      edit(
        names,
        intent,
        () => undefined,
        async () => letGo(names),
        async () => names.forEach(options.removed),
        names.some((name) => git?.hasProgram(name)),
      ),
  };
}

function isPath(path: string | undefined): path is string {
  return path !== undefined;
}

function contextOf(program: Program | undefined): string | undefined {
  const context = (program?.rawSpec.build as { context?: unknown } | undefined)?.context;
  return typeof context === 'string' ? context : undefined;
}
