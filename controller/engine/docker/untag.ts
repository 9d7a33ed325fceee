import type Docker from 'dockerode';
import { engineError, statusOf } from './errors.ts';

/**
 * Takes a tag away; with the last of all the engine removes the image.
 * @returns false where a container came to use the image meanwhile
 */
export async function untag(docker: Docker, reference: string): Promise<boolean> {
  try {
    await docker.getImage(reference).remove();
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return true;
    if (statusOf(error) === 409) return false;
    throw engineError(error, 'InternalError');
  }
}
