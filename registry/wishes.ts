import { AppError } from '../schemas/errors.ts';
import type { Git } from './git/git.ts';
import type { Absences } from './looks/absences.ts';
import type { Looks } from './looks/looks.ts';
import type { ManifestEdits } from './manifests/edits.ts';
import type { ManifestSet } from './manifests/set.ts';
import type { OwnFolders } from './records/own-folders.ts';
import type { StatusStore } from './records/status-store.ts';
import type { Registry } from './registry.ts';

export interface WishesOptions {
  git: Git | undefined;
  manifests: ManifestSet;
  absences: Absences;
  looks: Looks;
  status: StatusStore;
  own: OwnFolders;
  edits: ManifestEdits;
  /** What people have to know for as long as the registry is open. */
  warnings: readonly string[];
}

/** What is wanted of programs, as far as the files and their absence tell, and how far that is. */
export function createWishes(
  options: WishesOptions,
): Pick<Registry, 'wanted' | 'missing' | 'health' | 'confirmPrune'> {
  const { git, manifests, absences, looks, status } = options;
  // In the middle of a rebase a file may be gone and come back with the next step.
  const isGitAtRest = () => (git?.operation() ?? '') === '';
  return {
    wanted(name) {
      const entry = manifests.get(name);
      if (entry !== undefined) return { kind: 'present', entry };
      if (absences.isStated(name)) return { kind: 'gone' };
      const trouble = looks.trouble();
      if (trouble !== '') return { kind: 'unknown', why: trouble };
      if (isGitAtRest() && absences.isGone(name)) return { kind: 'gone' };
      const file = manifests.movedTo(name);
      return file === undefined ? { kind: 'unknown' } : { kind: 'unknown', why: moved(name, file) };
    },
    missing: () => absences.unstated().filter((name) => status.get(name) !== undefined),
    health() {
      const movedOnes = absences
        .moved()
        .map((name) => ({ name, message: moved(name, manifests.movedTo(name) ?? name) }));
      return {
        ...{ scanned: looks.scanned(), message: looks.trouble(), paused: absences.paused() },
        moved: movedOnes,
        unwritable: options.own.warnings(),
        warnings: [
          ...options.warnings,
          ...(git?.warnings() ?? []),
          ...options.own.warnings(),
          ...movedOnes.map(({ message }) => message),
        ],
      };
    },
    async confirmPrune(intentOf) {
      // What came back meanwhile is not meant.
      await looks.look();
      const names = [...new Set([...absences.paused(), ...absences.moved()])].sort();
      const trouble = looks.trouble();
      if (trouble !== '') {
        const reason = isGitAtRest() ? 'RegistryUnavailable' : 'Conflict';
        throw new AppError(reason, `${trouble}; nothing can be pruned while that is so`);
      }
      if (names.length > 0) await options.edits.removeMissing(names, intentOf?.(names));
      return names;
    },
  };
}

/** What became of a manifest whose program is still called what the file was called before, and what to do. */
function moved(name: string, file: string): string {
  const now = `programs/${name}.yaml is gone, and programs/${file}.yaml says metadata.name: ${name}`;
  return `${now}: write metadata.name: ${file} there to rename the program, move the file back to keep it, or DELETE /programs/${name}; it keeps running until then`;
}
