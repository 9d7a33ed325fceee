import type { Program } from '../../schemas/program.ts';
import type { Serial } from '../../schemas/serial.ts';
import type { OnPlace } from '../contexts/source-folder.ts';
import { type Reversible, together } from '../files/reversible.ts';
import type { CommittedLinks } from '../git/committed-links.ts';
import type { Git } from '../git/git.ts';
import type { SourcesKeeper } from '../git/kept-sources.ts';
import type { Intent } from '../git/lock.ts';
import { labelOf, sourcesFolderOf } from '../paths.ts';
import type { FileEdit } from './files.ts';
import type { ParsedManifest } from './manifest.ts';
import type { ManifestSet } from './set.ts';

export interface MakeEditOptions {
  git: Git | undefined;
  links: CommittedLinks;
  manifests: ManifestSet;
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
}

export interface Edit<T> {
  /** The program; more than one where all are removed. */
  names: readonly string[];
  intent: Intent | undefined;
  /** The context that the manifest will name, as far as that is known before; without it, none is. */
  contextAfter?: ((before: string | undefined) => string | undefined) | undefined;
  write: (onPlace: OnPlace) => Promise<FileEdit>;
  /** Tells of what the file holds now, `""` where there is none any more. */
  tell: (text: string) => Promise<T>;
  /** Whether there is anything to commit, where there is git. Default true. */
  isCommit?: boolean;
}

/**
 * Makes an edit of a manifest and, in a git work tree, its commit, as one: a look sees neither or both. Sources
 * that the manifest begins to name go into the commit, those that nothing names any more go with it.
 */
export async function makeEdit<T>(options: MakeEditOptions, edit: Edit<T>): Promise<T> {
  const { git, links, exclusive, manifests, sources } = options;
  const { names, write, tell, isCommit = true } = edit;
  await links.mustLeadHome('programs', 'sources');
  const quietly = async () => undefined;
  if (git === undefined || !isCommit) return exclusive(async () => tell((await write(quietly)).text ?? ''));
  const [name = ''] = names;
  const intent = edit.intent ?? { author: options.ownerOf(name), message: `edit ${name}` };
  return git.record(intent, labelOf(name), (commit, note) =>
    exclusive(async () => {
      const before = contextOf(manifests.get(name)?.program);
      const expected = edit.contextAfter?.(before);
      const left = names.map((one) => contextLeft(options, one)).filter((context) => context !== expected);
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
      const after = made.text === undefined ? undefined : contextIn(options, name, made.text);
      const stays = sourcesFolderOf(after);
      const { change, gone } = await release(
        sources,
        made,
        leaving.filter((folder) => folder !== stays),
      );
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

/** Takes these folders away as a part of the edit. `gone`: those that were there. */
async function release(
  sources: SourcesKeeper,
  made: Reversible,
  folders: readonly string[],
): Promise<{ change: Reversible; gone: string[] }> {
  let change = made;
  const gone: string[] = [];
  for (const folder of folders) {
    const moved = await sources.release(folder);
    if (moved === undefined) continue;
    change = together(change, moved);
    gone.push(folder);
  }
  return { change, gone };
}

/** The context that a manifest with this text names. */
export function contextIn({ parse }: MakeEditOptions, name: string, text: string): string | undefined {
  return contextOf(parse(name, text).program);
}

/** The context that a program named last. */
function contextLeft({ manifests, isMissing, lastContextOf }: MakeEditOptions, name: string) {
  return isMissing(name) ? lastContextOf(name) : contextOf(manifests.get(name)?.program);
}

function contextOf(program: Program | undefined): string | undefined {
  const context = (program?.rawSpec.build as { context?: unknown } | undefined)?.context;
  return typeof context === 'string' ? context : undefined;
}

function isPath(path: string | undefined): path is string {
  return path !== undefined;
}
