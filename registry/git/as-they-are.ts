import { AppError } from '../../schemas/errors.ts';
import { itemsIn } from './ask.ts';
import type { GitRun } from './run.ts';

const SOURCES = 'sources/';
const ATTRIBUTES = /(^|\/)\.gitattributes$/i;
/** More files than a call brings are looked at within this. */
const HASH_MS_MAX = 120_000;

/**
 * Sources are committed byte for byte. Attributes that they bring along, which whoever sent them wrote, may have git
 * change them on their way; those of the repository itself are the operator's wish. Rejects `Conflict` with a file
 * that git has in other words, before anything is committed.
 * @param paths that were added to that index
 */
export async function mustBeAsTheyAre(
  run: GitRun,
  paths: readonly string[],
  indexFile: string,
): Promise<void> {
  const folders = paths.filter((path) => path.startsWith(SOURCES));
  if (folders.length === 0) return;
  const listed = await run(['ls-files', '-s', '-z', '--', ...folders], { indexFile });
  const files = itemsIn(listed.stdout).flatMap((item) => {
    const [, mode = '', id = '', path = ''] = /^(\d+) ([0-9a-f]+) \d\t(.*)$/s.exec(item) ?? [];
    return mode.startsWith('100') ? [{ id, path }] : [];
  });
  const own = folders.filter((folder) =>
    files.some(({ path }) => path.startsWith(`${folder}/`) && ATTRIBUTES.test(path)),
  );
  const checked = files.filter(({ path }) => own.some((folder) => path.startsWith(`${folder}/`)));
  if (checked.length === 0) return;
  // A name in two lines can not be asked about.
  const odd = checked.find(({ path }) => path.includes('\n'));
  const input = checked.map(({ path }) => `${path}\n`).join('');
  const hashed = await run(['hash-object', '--no-filters', '--stdin-paths'], { input, limitMs: HASH_MS_MAX });
  const ids = hashed.stdout.split('\n');
  const other = odd ?? checked.find(({ id }, at) => ids[at] !== id);
  if (other === undefined) return;
  throw new AppError('Conflict', `git would change ${other.path} by the .gitattributes that lies with it`, {
    hint: 'Nothing was changed. Sources are committed byte for byte: leave .gitattributes out, or take out what changes files (text, eol, ident, filter, working-tree-encoding).',
  });
}
