import { plural } from '../../words/span.ts';

export interface EditStatus {
  isReadOnly: boolean;
  isChanged: boolean;
  problems: number;
  /** Why it could not be checked, or `""`. */
  checkFailure: string;
}

/** How the text stands, in a sentence. Pure. */
export function statusWords({ isReadOnly, isChanged, problems, checkFailure }: EditStatus): string {
  if (problems > 0) return `${plural(problems, 'problem')}. The last valid manifest stays in force.`;
  if (isReadOnly) return 'Read only.';
  if (!isChanged) return 'As it stands in the registry.';
  const changed = 'Changed, not applied. Nothing happens until you apply.';
  return checkFailure === '' ? changed : `${changed} It could not be checked: ${checkFailure}`;
}
