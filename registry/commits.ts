import type { Git } from './git/git.ts';
import { labelOf } from './paths.ts';
import type { Registry } from './registry.ts';

/** What git tells of programs, which is nothing where the registry is plain files. */
export function createCommits(
  git: Git | undefined,
): Pick<
  Registry,
  'mustBeEditable' | 'gitHead' | 'remoteTrouble' | 'lookAtRemote' | 'commitOf' | 'lastChange' | 'droppedBy'
> {
  return {
    mustBeEditable: () => git?.mustBeEditable(),
    gitHead: async () => git?.head(),
    remoteTrouble: () => git?.remoteTrouble(),
    lookAtRemote: () => git?.lookAtRemote() ?? false,
    commitOf: (...of) => git?.commitOf(...of) ?? '',
    async lastChange(name, context, commit) {
      const paths = [labelOf(name), ...(context === undefined ? [] : [context])];
      const change = commit === '' ? undefined : await git?.lastChange(commit, paths);
      return change ?? { commit, author: '' };
    },
    async droppedBy(name, came) {
      if (git === undefined || came === '' || git.hasProgram(name)) return '';
      return (await git.lastChange(`${came}..HEAD`, [labelOf(name)]))?.commit ?? '';
    },
  };
}
