import { USER_ID_PATTERN } from '../../../../schemas/program.ts';

/** What is wrong with a user's name, or `""`. */
export function userProblem(userId: string): string {
  if (userId === '') return 'Say whose it is: User.';
  if (USER_ID_PATTERN.test(userId)) return '';
  return 'Letters, digits, ".", "_" and "-" alone, beginning with a letter or digit, at most 63.';
}
