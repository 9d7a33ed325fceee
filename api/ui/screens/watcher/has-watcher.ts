import { ApiError } from '../../../client.ts';
import { client } from '../../state/client.ts';

/**
 * Whether a program that is Ready serves the WatcherAPI. Where that can not be told now, it may.
 * @returns false where it says that there is no such route, or answers it with a page
 */
export async function hasWatcher(name: string): Promise<boolean> {
  try {
    await client.ask(name, '/watcher/status');
    return true;
  } catch (error) {
    return !isAbsent(error);
  }
}

/** No such route, or no JSON there. */
export function isAbsent(error: unknown): boolean {
  return (
    error instanceof SyntaxError || (error instanceof ApiError && [404, 405, 501].includes(error.status))
  );
}
