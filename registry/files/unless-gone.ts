import { codeOf } from '../../schemas/errors.ts';

/** For `catch`: what is not there, or no longer, is undefined, and every other trouble goes on. */
export function unlessGone(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}
