import type { ProgramBody } from '../../routes/view.ts';

const WHO_MAX = 24;

/** That nothing is done about it, and by whose wish; `""` where it is looked after. */
export function pausedSaid({ paused }: Pick<ProgramBody, 'paused'>): string {
  // A host of an older version does not say.
  if (!paused) return '';
  const { by, of } = paused;
  const who = by === '' ? '' : ` by ${by.length > WHO_MAX ? `${by.slice(0, WHO_MAX)}…` : by}`;
  return `${of === 'host' ? 'Paused with the host' : 'Paused'}${who}`;
}
