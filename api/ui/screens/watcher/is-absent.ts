import { ApiError } from '../../../client.ts';

/** Whether what came of a call says that there is no such route, or no JSON there. */
export function isAbsent(error: unknown): boolean {
  return (
    error instanceof SyntaxError || (error instanceof ApiError && [404, 405, 501].includes(error.status))
  );
}
