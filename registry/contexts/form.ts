import type { BuildSpec } from '../../schemas/program.ts';
import { ROOT_FOLDERS_LEFT_OUT } from '../../schemas/resolve.ts';
import { isTemporary } from '../files/atomic-write.ts';
import { isEditors } from '../files/editor-file.ts';
import { readDockerignore } from './dockerignore.ts';
import { readOlderDockerignore } from './older-dockerignore.ts';
import type { Work } from './work.ts';

/** Which names of a context a build gets. */
export interface Filter {
  /** Asked folder by folder, a folder before what lies in it. */
  keeps(name: string, isFolder: boolean): Promise<boolean>;
  /** Whether anything may be kept in a folder that is not. */
  mayHoldKept(folder: string): boolean;
}

/** By which rules a context is read: an image that is there stays the one of the rules it was built by. */
export interface Form {
  /**
   * @param ignoreText contents of the ignore file, or undefined where there is none
   * @throws Error that names the line of a malformed pattern
   */
  filter(build: BuildSpec, ignoreText: string | undefined, work: Work): Promise<Filter>;
  /** Names that are no part of any context, wherever they lie. */
  isForeign(base: string): boolean;
  /** Folders of the registry that are no part of the registry as a context. */
  reserved: readonly string[];
  /** Whether a name that is no UTF-8 is there. */
  knowsBytes: boolean;
}

const ALL: Filter = { keeps: async () => true, mayHoldKept: () => true };

/** As buildx sends a context, without what editors lay there. */
export const FORM: Form = {
  async filter(_build, ignoreText, work) {
    if (ignoreText === undefined) return ALL;
    const rules = await readDockerignore(ignoreText, work);
    return {
      keeps: async (name, isFolder) => !(await rules.leavesOut(name, isFolder)),
      mayHoldKept: rules.mayLetIn,
    };
  },
  isForeign: (base) => isTemporary(base) || isEditors(base),
  reserved: ROOT_FOLDERS_LEFT_OUT,
  knowsBytes: true,
};

/**
 * As a context was read before there was a second form of the hash: with the Dockerfile and the ignore file always in it, with rules that each
 * counted for itself, and with what editors left. Kept to the letter, since only so an image that was built then is
 * known for what it is.
 */
export const OLDER_FORM: Form = {
  async filter({ dockerfile }, ignoreText) {
    if (ignoreText === undefined) return ALL;
    const ignores = readOlderDockerignore(ignoreText);
    const always = new Set([dockerfile, ...ignoreFileNames(dockerfile)]);
    const hasExceptions = /^\s*!/m.test(ignoreText);
    const keeps = (name: string) => always.has(name) || !ignores(name);
    return {
      keeps: async (name) => keeps(name),
      mayHoldKept: (folder) => hasExceptions || [...always].some((name) => name.startsWith(`${folder}/`)),
    };
  },
  isForeign: isTemporary,
  reserved: ['.git', 'status', 'data'],
  knowsBytes: false,
};

/** Where the ignore rules may stand; the first that exists counts, as with Docker. */
export function ignoreFileNames(dockerfile: string): string[] {
  return [`${dockerfile}.dockerignore`, '.dockerignore'];
}
