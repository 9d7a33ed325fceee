import { NAME_PATTERN, USER_ID_PATTERN } from '../../../../schemas/program.ts';

const LETTERS = 'Letters, digits, ".", "_" and "-" alone, beginning with a letter or digit, at most';

/** What is wrong with a user's name, or `""`. */
export function userProblem(userId: string): string {
  if (userId === '') return 'Say whose it is: User.';
  if (USER_ID_PATTERN.test(userId)) return '';
  return `${LETTERS} 63.`;
}

/** What is wrong with the name that a program is to have, or `""`: none is needed. */
export function nameProblem(name: string): string {
  return name === '' || NAME_PATTERN.test(name) ? '' : `${LETTERS} 128.`;
}
