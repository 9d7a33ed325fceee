import { AppError, describeProblem } from '../../schemas/errors.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';
import type { Asked, ManifestEntry } from '../../schemas/wanted.ts';
import type { OnPlace, PlacedSources } from '../contexts/source-folder.ts';
import { writeSources } from '../contexts/sources.ts';
import { reversible, together } from '../files/reversible.ts';
import { removeFolder } from '../git/kept-sources.ts';
import type { Intent } from '../git/lock.ts';
import { labelOf } from '../paths.ts';
import { editManifest, replaceSpec } from './edit-text.ts';
import { type FileEdit, type ManifestFiles, notFound } from './files.ts';
import { contextIn, type Edit, type MakeEditOptions, makeEdit } from './make-edit.ts';
import { newManifest } from './manifest.ts';
import { etagOf } from './set.ts';

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
   * Makes `spec` another one, see `replaceSpec` of edit-text.ts. Rejects `NotFound`, `Conflict` where the file is
   * not valid or nothing would change, and as `make` does. Sources that it put in place are gone again when the edit is refused.
   */
  replaceSpec(
    name: string,
    make: (onPlace: OnPlace) => Promise<MadeSpec>,
    intent?: Intent,
  ): Promise<ManifestEntry>;
  /**
   * Puts a source tree under `sources/` and has the program built from it, its Dockerfile in the place of any other or
   * of an image. Gives whether that is another one than before. Rejects as `replaceSpec`.
   */
  putSources(name: string, sources: Omit<NewSources, 'userId'>, intent?: Intent): Promise<boolean>;
  /** Moves the manifest to the trash. Rejects `NotFound`. */
  remove(name: string, intent?: Intent): Promise<void>;
  /** The same for some whose manifests are missing: all or none, and one commit where HEAD has any of them. */
  removeMissing(names: readonly string[], intent?: Intent): Promise<void>;
}

export interface ManifestEditsOptions extends MakeEditOptions {
  root: string;
  files: ManifestFiles;
  /** Takes in what was written, and tells of it. */
  written: (name: string, text: string, asked?: Asked) => Promise<ManifestEntry>;
  removed: (name: string) => void;
}

export function createManifestEdits(options: ManifestEditsOptions): ManifestEdits {
  const { root, git, files, written } = options;

  /** An edit after which the manifest is there. */
  const save = (
    name: string,
    intent: Intent | undefined,
    write: (onPlace: OnPlace) => Promise<FileEdit>,
    { contextAfter, asked }: { contextAfter?: Edit<unknown>['contextAfter']; asked?: Asked } = {},
  ) =>
    makeEdit(options, {
      ...{ names: [name], intent, contextAfter, write },
      tell: (text) => written(name, text, asked),
    });

  return {
    create(name, text, intent) {
      const write = () => writeNew(options, name, text);
      return save(name, intent, write, { contextAfter: () => contextIn(options, name, text) });
    },
    createFromSources: (name, { userId, buildId, files: brought }, intent) =>
      save(name, intent, async (onPlace) => {
        const placed = await writeSources(root, buildId, brought, onPlace);
        const text = newManifest(name, userId, placed.context);
        return withSources(root, placed, () => writeNew(options, name, text));
      }),
    replace(name, text, etag, intent) {
      const write = () =>
        rewrite(options, name, (current) => {
          mustBeAsRead(name, current, etag);
          return text;
        });
      return save(name, intent, write, { contextAfter: () => contextIn(options, name, text) });
    },
    editSpec(name, fields, intent) {
      const write = () => rewrite(options, name, (text) => setFields(options, name, text, fields));
      return save(name, intent, write, { contextAfter: (before) => before, asked: fields });
    },
    replaceSpec: (name, make, intent) =>
      save(name, intent, async (onPlace) => {
        const { spec, placed } = await make(onPlace);
        return withSources(root, placed, () =>
          rewrite(options, name, (text) => {
            mustBeValid(options, name, text);
            const next = replaceSpec(text, spec);
            if (next === text && placed?.isNew !== true) throw nothingToChange(name);
            return next;
          }),
        );
      }),
    async putSources(name, brought, intent) {
      let isChanged = true;
      await save(name, intent, async (onPlace) => {
        const put = await writeBrought(options, name, brought, onPlace);
        isChanged = put.isChanged;
        return put.edit;
      });
      return isChanged;
    },
    remove: (name, intent) =>
      makeEdit(options, {
        ...{ names: [name], intent },
        async write() {
          if (!isKnown(options, name)) throw notFound(name);
          return files.discard(name);
        },
        tell: async () => options.removed(name),
      }),
    removeMissing: (names, intent) =>
      makeEdit(options, {
        ...{ names, intent },
        write: () => letGo(files, names),
        tell: async () => names.forEach(options.removed),
        isCommit: names.some((name) => git?.hasProgram(name)),
      }),
  };
}

/** There, or missing while that is not believed. */
function isKnown({ manifests, isMissing }: ManifestEditsOptions, name: string): boolean {
  return manifests.get(name) !== undefined || isMissing(name);
}

async function writeNew(
  { manifests, files }: ManifestEditsOptions,
  name: string,
  text: string,
): Promise<FileEdit> {
  if (!NAME_PATTERN.test(name)) throw new AppError('BadRequest', `${name} is not a valid program name`);
  const clash = manifests.get(name) === undefined ? manifests.clashOf(name) : name;
  if (clash !== undefined) throw new AppError('Conflict', `${labelOf(clash)} exists already`);
  return files.create(name, text);
}

async function rewrite(
  options: ManifestEditsOptions,
  name: string,
  change: (text: string) => string,
): Promise<FileEdit> {
  try {
    return await options.files.rewrite(name, change);
  } catch (error) {
    const isNotThere = error instanceof AppError && error.reason === 'NotFound';
    if (!isNotThere || !isKnown(options, name)) throw error;
    // It is shown, and kept running: it can not be said to be nowhere.
    throw new AppError('RegistryUnavailable', `${labelOf(name)} is missing`, {
      hint: 'Put the file back, or DELETE the program if it is to go.',
    });
  }
}

/** The edit of a manifest, and the sources that were put in place for it: both or neither. */
async function withSources(
  root: string,
  placed: PlacedSources | undefined,
  write: () => Promise<FileEdit>,
): Promise<FileEdit> {
  if (placed?.isNew !== true) return write();
  const folder = reversible(() => removeFolder(root, placed.context));
  try {
    const manifest = await write();
    return { ...together(manifest, folder), text: manifest.text };
  } catch (error) {
    await folder.undo();
    throw error;
  }
}

/** Asked again now: git may have been waited for, and what came back meanwhile is not meant. */
async function letGo(files: ManifestFiles, names: readonly string[]): Promise<FileEdit> {
  for (const name of names) {
    if (!(await files.isThere(name))) continue;
    throw new AppError('Conflict', `${labelOf(name)} came back meanwhile; nothing was pruned`, {
      hint: 'GET /readyz says what is still missing; call again.',
    });
  }
  let all = reversible(async () => undefined);
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

function mustBeAsRead(name: string, text: string, etag: string): void {
  if (etagOf(text) === etag) return;
  throw new AppError('PreconditionFailed', `${labelOf(name)} was changed since you read it`, {
    hint: 'Get the manifest again, repeat your edit on it and send it with its new ETag as If-Match.',
  });
}

function mustBeValid({ parse }: ManifestEditsOptions, name: string, text: string): void {
  const { problems } = parse(name, text);
  if (problems.length === 0) return;
  throw new AppError('Conflict', `${problems.map(describeProblem)[0]}`, {
    hint: 'The manifest has to be valid before it can be edited by a call: mend the file, or PUT a new one.',
    details: problems,
  });
}

/** Puts sources in place for a program that is there, and has its manifest name them: both or neither. */
async function writeBrought(
  options: ManifestEditsOptions,
  name: string,
  { buildId, files }: Omit<NewSources, 'userId'>,
  onPlace: OnPlace,
): Promise<{ edit: FileEdit; isChanged: boolean }> {
  const { root } = options;
  const placed = await writeSources(root, buildId, files, onPlace);
  let isChanged = placed.isNew;
  const change = (text: string) => {
    const next = buildFrom(options, name, text, placed.context);
    isChanged ||= next !== text;
    return next;
  };
  const edit = await withSources(root, placed, () => rewrite(options, name, change));
  return { edit, isChanged };
}

/** A valid manifest with another context, whose Dockerfile lies in it as a `POST` brings it. */
function buildFrom(options: ManifestEditsOptions, name: string, text: string, context: string): string {
  mustBeValid(options, name, text);
  const { build, image: _, ...rest } = options.parse(name, text).program?.rawSpec ?? {};
  const { dockerfile: __, ...others } = (build ?? {}) as Record<string, unknown>;
  return replaceSpec(text, { ...rest, build: { ...others, context } });
}

function nothingToChange(name: string): AppError {
  return new AppError('Conflict', `nothing would change: that is what ${labelOf(name)} asks for`, {
    hint: 'POST …/restart makes it anew.',
  });
}

/** A text that does not parse stays as it is. */
function setFields({ parse }: ManifestEditsOptions, name: string, text: string, fields: Asked): string {
  try {
    return editManifest(text, fields);
  } catch (error) {
    if (parse(name, text).problems.length === 0) throw error;
    return text;
  }
}
