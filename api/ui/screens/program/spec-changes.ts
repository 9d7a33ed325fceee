import type { RevisionView } from '../../../program-answers.ts';
import { middle } from '../../words/span.ts';

/** Longer values are cut in the middle. */
const VALUE_MAX = 44;
/** Wishes of the moment, which a revision does not stand for. */
const NOT_COMPARED = new Set(['spec.desiredState', 'spec.restartedAt']);

type Compared = Pick<RevisionView, 'spec' | 'build_id' | 'image_id'>;

/** How two revisions differ, a line each: `spec.env.MODE: paper → live`, `sources: build-… → build-…`. */
export function specChanges(before: Compared, after: Compared): string[] {
  const [old, fresh] = [new Map(leaves('spec', before.spec)), new Map(leaves('spec', after.spec))];
  const paths = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  const lines = paths
    .filter((path) => !NOT_COMPARED.has(path) && old.get(path) !== fresh.get(path))
    .map((path) => `${path}: ${shown(old.get(path))} → ${shown(fresh.get(path))}`);
  const isBuilt = before.build_id !== '' && after.build_id !== '';
  if (isBuilt && before.build_id !== after.build_id)
    lines.push(`sources: ${before.build_id} → ${after.build_id}`);
  const isPulled = after.spec.image !== undefined && after.spec.image === before.spec.image;
  if (isPulled && before.image_id !== after.image_id && before.image_id !== '' && after.image_id !== '')
    lines.push(`image: ${idOf(before.image_id)} → ${idOf(after.image_id)}, under the same name`);
  return lines;
}

function leaves(path: string, value: unknown): [string, string][] {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return [[path, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(`${path}.${key}`, inner));
}

const shown = (value: string | undefined) =>
  value === undefined ? '–' : middle(value === '' ? '""' : value.replaceAll('\n', '⏎'), VALUE_MAX);
const idOf = (image: string) => image.replace(/^sha256:/, '').slice(0, 12);
