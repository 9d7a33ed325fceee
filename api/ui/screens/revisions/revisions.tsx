import type { PartProps } from '../../parts/part-props.ts';

export function RevisionsPart({ p }: PartProps) {
  return <p class="bare">{p.program_id}</p>;
}
