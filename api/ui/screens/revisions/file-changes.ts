import type { RevisionFile, RevisionView } from '../../../program-answers.ts';

/** How the files of two revisions differ. */
export interface FileChange {
  what: 'added' | 'changed' | 'removed';
  name: string;
}

/** Whether they were built of other files, or otherwise. */
export function isOtherBuild(from: RevisionView, to: RevisionView): boolean {
  return from.build_id !== '' && to.build_id !== '' && from.build_id !== to.build_id;
}

/** By name. Undefined where the files of one of them are not kept any more. Pure. */
export function fileChanges(
  before: readonly RevisionFile[] | null,
  after: readonly RevisionFile[] | null,
): FileChange[] | undefined {
  if (before === null || after === null) return undefined;
  const [old, fresh] = [byName(before), byName(after)];
  const names = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return names.flatMap((name): FileChange[] => {
    const [was, is] = [old.get(name), fresh.get(name)];
    if (was === is) return [];
    return [{ name, what: was === undefined ? 'added' : is === undefined ? 'removed' : 'changed' }];
  });
}

const byName = (files: readonly RevisionFile[]) =>
  new Map(files.map(({ name, mode, sha256 }) => [name, `${mode} ${sha256}`]));
