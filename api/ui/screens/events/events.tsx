import type { PartProps } from '../../parts/part-props.ts';

export function EventsPart({ p }: PartProps) {
  return <p class="bare">{p.program_id}</p>;
}
