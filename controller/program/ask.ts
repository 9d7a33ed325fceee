import { type Answer, type Facts, type Need, needKey } from '../../schemas/facts.ts';

/** A fact that a look turns out to need ends it: it is taken up anew when that is there. */
export class Lacking {
  constructor(readonly need: Need) {}
}

type Of<Kinds, K> = Extract<Kinds, { kind: K }>;

/** What was read of it; where it was not asked for yet, that ends the look. */
export function ask<K extends Need['kind']>(
  { answers }: Pick<Facts, 'answers'>,
  need: Of<Need, K>,
): Of<Answer, K> {
  const answer = answers[needKey(need)];
  if (answer?.kind !== need.kind) throw new Lacking(need);
  return answer as Of<Answer, K>;
}
