import { readdir } from 'node:fs/promises';
import { codeOf, messageOf } from '../../schemas/errors.ts';

/** Why nothing can be said of what is in `programs/`, or `""`. */
export function troubleOf(folder: string): Promise<string> {
  return readdir(folder).then(() => '', unreadable);
}

/** The same of a listing that failed. */
export function unreadable(error: unknown): string {
  return `programs/ can not be read: ${codeOf(error) === 'ENOENT' ? 'it is missing' : messageOf(error)}`;
}
