import { diffSpecs } from '../../../../schemas/differences.ts';
import type { RevisionView } from '../../../program-answers.ts';
import type { Role } from '../../words/kind.ts';
import { fieldValue } from '../manifest/costs.ts';

/** What the list of revisions says. Pure. */

/** Shape, colour and word of what it came to. @param state of the program: what is down serves nobody */
export function outcomeWords(
  { outcome, current }: RevisionView,
  state: string,
): { shape: string; role: Role; word: string } {
  const [shape, role, word] = OUTCOMES[outcome];
  if (!current) return { shape, role, word };
  if (state !== 'Ready') return { shape, role, word: `${word}, current` };
  return { shape, role, word: outcome === 'Failed' ? 'serves, failing' : 'serves' };
}

const OUTCOMES: Record<RevisionView['outcome'], readonly [shape: string, role: Role, word: string]> = {
  Ready: ['Ready', 'good', 'was ready'],
  Failed: ['Error', 'bad', 'failed'],
  Pending: ['Starting', 'busy', 'not yet'],
  Superseded: ['Created', 'rest', 'never ran'],
};

/** More are counted. */
const CHANGES_MAX = 4;

/** What it changed against the one before; `""` where that is not kept. */
export function changesOf(revision: RevisionView, before: RevisionView | undefined): string {
  if (before === undefined) return '';
  const fields = diffSpecs(before.spec, revision.spec).map(
    ({ path, from, to }) => `${path.replace(/^spec\./, '')}: ${short(from)} → ${short(to)}`,
  );
  const rest = fields.length - CHANGES_MAX;
  const told = rest > 1 ? [...fields.slice(0, CHANGES_MAX), `${rest} more fields`] : fields;
  if (before.build_id !== revision.build_id) told.push('other sources');
  else if (before.image_id !== revision.image_id) told.push('another image');
  return told.length === 0 ? 'nothing of it that is kept here' : told.join(' · ');
}

function short(value: unknown): string {
  const text = fieldValue(value);
  return text.length > 44 ? `${text.slice(0, 43)}…` : text;
}

export interface Pair {
  from: number;
  to: number;
}

/**
 * The two that are compared: those that the URL names, where they are kept; else what is wanted, against what serves or
 * against the one before. Undefined where there are no two. @param asked as `8..9`
 */
export function pairOf(
  revisions: readonly RevisionView[],
  wanted: number,
  asked: string | null,
): Pair | undefined {
  const numbers = revisions.map(({ revision }) => revision).sort((a, b) => a - b);
  const [, a, b] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(asked ?? '') ?? [];
  if (numbers.includes(Number(a)) && numbers.includes(Number(b))) return { from: Number(a), to: Number(b) };
  const newest = numbers.at(-1);
  if (newest === undefined) return undefined;
  const to = numbers.includes(wanted) ? wanted : newest;
  const serving = revisions.find(({ current }) => current)?.revision;
  const earlier = numbers.filter((number) => number < to).at(-1);
  const from = serving !== undefined && serving !== to ? serving : earlier;
  return from === undefined ? undefined : { from, to };
}

/** What of the two is made of something else, beside what their specs say. */
export function madeOf(from: RevisionView, to: RevisionView): { what: string; from: string; to: string }[] {
  const rows = [
    { what: 'build', from: from.build_id, to: to.build_id },
    { what: 'image', from: from.image_id, to: to.image_id },
    { what: 'commit', from: from.commit, to: to.commit },
  ];
  return rows
    .filter((row) => row.from !== row.to)
    .map(({ what, from, to }) => ({ what, from: from || '–', to: to || '–' }));
}
