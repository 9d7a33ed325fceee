import type { DryRun } from '../../../program-answers.ts';

/** What a change of a manifest does, in words. Pure. */

/** What is done, where the host names nothing to do. */
export function nothingDone({ changed }: Pick<DryRun, 'changed'>): string {
  return changed
    ? 'Nothing is restarted: it counts from now on.'
    : 'Nothing: what is in force says the same already. Only the text differs.';
}

/** What it costs those who use the program, as far as what is done says it. */
export function costOf(actions: readonly string[]): string {
  const has = (begin: string) => actions.some((action) => action.startsWith(begin));
  if (actions.length === 0) return 'Nothing.';
  if (!has('create ')) {
    if (has('stop ')) return 'It does not serve any more, until it is started again.';
    return 'Nothing: it does not run now.';
  }
  if (!has('stop ')) return 'Nothing: it does not run now.';
  const gap = 'About a second without service, since both containers use one port and one /state.';
  const then = `${gap.charAt(0).toLowerCase()}${gap.slice(1)}`;
  if (has('build ') || has('pull '))
    return `If an image has to be made first, the old one serves meanwhile. Then ${then}`;
  return gap;
}

/** A value of a field, to stand in a line. */
export function fieldValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
