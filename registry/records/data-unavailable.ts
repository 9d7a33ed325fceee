import { AppError, messageOf } from '../../schemas/errors.ts';

/**
 * A file of `data/` that the disk refuses, as people are told.
 * @param name relative to `data/`
 */
export function dataUnavailable(
  name: string,
  verb: 'read' | 'written' | 'removed',
  error: unknown,
): AppError {
  return new AppError('RegistryUnavailable', `data/${name} can not be ${verb}: ${messageOf(error)}`, {
    cause: error,
    hint: 'Free disk space, or mend what lies there and its permissions.',
  });
}
