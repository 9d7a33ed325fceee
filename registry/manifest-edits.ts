import { AppError, describeProblem } from '../schemas/errors.ts';
import { NAME_PATTERN, type Program } from '../schemas/program.ts';
import { editManifest, replaceSpec } from './edit-manifest.ts';
import type { Git } from './git.ts';
import type { Intent } from './git-lock.ts';
import { removeFolder, type SourcesKeeper, together } from './kept-sources.ts';
import { newManifest, type ParsedManifest } from './manifest.ts';

import { type FileEdit, labelOf, type ManifestFiles, notFound } from './manifest-files.ts';
import { etagOf, type ManifestSet } from './manifest-set.ts';
import type { Asked, ManifestEntry } from './registry.ts';
import type { Serial } from './serial.ts';
import { writeSources } from './sources.ts';

/** What a `POST /programs` brought. */
export interface NewSources {
  userId: string;
  buildId: string;
  files: ReadonlyMap<string, string>;
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
  /** Makes `spec` another one, see `replaceSpec` of edit-manifest.ts. Rejects `NotFound`, or `Conflict` where it is not valid. */
  replaceSpec(name: string, spec: Record<string, unknown>, intent?: Intent): Promise<ManifestEntry>;
  /** Moves the manifest to the trash. Rejects `NotFound`. */
  remove(name: string, intent?: Intent): Promise<void>;
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
  /** Takes in what was written, and tells of it. */
  written: (name: string, text: string, asked?: Asked) => Promise<ManifestEntry>;
  removed: (name: string) => void;
}

export function createManifestEdits(options: ManifestEditsOptions): ManifestEdits {
  const { root, git, manifests, files, sources, exclusive, parse, written } = options;

  function writeNew(name: string, text: string): Promise<FileEdit> {
    if (!NAME_PATTERN.test(name)) throw new AppError('BadRequest', `${name} is not a valid program name`);
    const clash = manifests.get(name) === undefined ? manifests.clashOf(name) : name;
    if (clash !== undefined) throw new AppError('Conflict', `${labelOf(clash)} exists already`);
    return files.create(name, text);
  }

  async function writeBrought(
    name: string,
    { userId, buildId, files: brought }: NewSources,
  ): Promise<FileEdit> {
    const { context, isNew } = await writeSources(root, buildId, brought);
    const folder = { undo: () => removeFolder(root, context), done: async () => undefined };
    try {
      const manifest = await writeNew(name, newManifest(name, userId, context));
      return { ...together(manifest, isNew ? folder : undefined), text: manifest.text };
    } catch (error) {
      if (isNew) await folder.undo();
      throw error;
    }
  }

  /**
   * Makes an edit of a manifest and, in a git work tree, its commit, as one: a look sees neither or both. Sources
   * that the manifest begins to name go into the commit, those that nothing names any more go with it.
   */
  function edit<T>(
    name: string,
    intent: Intent | undefined,
    write: () => Promise<FileEdit>,
    tell: (text: string) => Promise<T>,
  ): Promise<T> {
    if (git === undefined) return exclusive(async () => tell((await write()).text ?? ''));
    const said = intent ?? { author: options.ownerOf(name), message: `edit ${name}` };
    return git.record(said, labelOf(name), (commit) =>
      exclusive(async () => {
        const before = contextOf(manifests.get(name)?.program);
        const made = await write();
        const after = made.text === undefined ? undefined : contextOf(parse(name, made.text).program);
        const moved = before === after ? undefined : await sources.release(name, before);
        const change = together(made, moved);
        try {
          await commit([
            labelOf(name),
            ...sources.named(before === after ? undefined : after),
            ...(moved?.paths ?? []),
          ]);
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

  function editText(
    name: string,
    intent: Intent | undefined,
    change: (text: string) => string,
  ): Promise<ManifestEntry> {
    return edit(
      name,
      intent,
      () => files.rewrite(name, change),
      (text) => written(name, text),
    );
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
        name,
        intent,
        async () => writeNew(name, text),
        (now) => written(name, now),
      ),
    createFromSources: (name, brought, intent) =>
      edit(
        name,
        intent,
        () => writeBrought(name, brought),
        (now) => written(name, now),
      ),
    replace: (name, text, etag, intent) =>
      editText(name, intent, (current) => {
        if (etagOf(current) === etag) return text;
        throw new AppError('PreconditionFailed', `${labelOf(name)} was changed since you read it`, {
          hint: 'Get the manifest again, repeat your edit on it and send it with its new ETag as If-Match.',
        });
      }),
    editSpec: (name, fields, intent) =>
      edit(
        name,
        intent,
        () => files.rewrite(name, (text) => setFields(name, text, fields)),
        (text) => written(name, text, fields),
      ),
    replaceSpec: (name, spec, intent) =>
      editText(name, intent, (text) => replaceSpec(mustBeValid(name, text), spec)),
    remove: (name, intent) =>
      edit(
        name,
        intent,
        async () => {
          if (manifests.get(name) === undefined && !options.isMissing(name)) throw notFound(name);
          return files.discard(name);
        },
        async () => options.removed(name),
      ),
  };
}

function contextOf(program: Program | undefined): string | undefined {
  const context = (program?.rawSpec.build as { context?: unknown } | undefined)?.context;
  return typeof context === 'string' ? context : undefined;
}
