/**
 * Names that git takes for its own, on this or another system, by its own rules for what it refuses to check out. A
 * source tree may be cloned wherever the registry is.
 */

/** Left out by file systems that compare names without what is not seen (HFS+). */
const UNSEEN = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
/** What Windows drops at the end of a name, and what it takes for a part of the same file. */
const ENDING = '[ .]*(?::.*)?$';
const GIT = new RegExp(`^(?:\\.git|git~1)${ENDING}`, 'is');
/** With the short names that Windows gives a file of that name; where these are taken, one made of a hash. */
const MODULES = new RegExp(
  `^(?:\\.gitmodules|gitmod~[1-4]|gi7eba~[1-9]|gi7eb~[1-9]\\d|gi7e~[1-9]\\d\\d)${ENDING}`,
  'is',
);

/** Which of git's own names a part of a path is, or may be taken for; undefined where it is none. */
export function gitsOwn(component: string): '.git' | '.gitmodules' | undefined {
  const seen = component.replace(UNSEEN, '');
  if (GIT.test(component) || GIT.test(seen)) return '.git';
  return MODULES.test(component) || MODULES.test(seen) ? '.gitmodules' : undefined;
}

/**
 * Whether git would take a folder for a repository, by what is in it.
 * @param has what has that name, in lower case
 */
export function isRepository(has: (name: string) => 'file' | 'folder' | undefined): boolean {
  if (has('head') !== 'file') return false;
  return has('commondir') === 'file' || (has('objects') === 'folder' && has('refs') === 'folder');
}
