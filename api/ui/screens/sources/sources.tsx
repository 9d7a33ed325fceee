import type { PartProps } from '../../parts/part-props.ts';

export function SourcesPart({ p }: PartProps) {
  return <p class="bare">{p.program_id}</p>;
}
