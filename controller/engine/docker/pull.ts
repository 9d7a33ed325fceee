import { AppError } from '../../../schemas/errors.ts';
import type { Credentials } from '../engine.ts';
import { type Connection, jsonLines } from './client.ts';
import { diskFull, failureOf, isUnavailable, streamError, unavailable } from './errors.ts';
import { authConfigOf, createSecrets, registryOf } from './registry-auth.ts';
import { isImageReference, pullTarget } from './translate.ts';

/** Pulls an image. Rejects as `Engine.pull` does. */
export async function pullImage(
  connection: Connection,
  reference: string,
  onProgress: (text: string) => void,
  signal: AbortSignal,
  credentials?: Credentials,
): Promise<void> {
  const secrets = createSecrets();
  const say = (text: string) => onProgress(secrets.mask(text));
  try {
    await pullWith(connection, reference, say, signal, secrets.noting(credentials, signal));
  } catch (error) {
    throw secrets.maskedError(error);
  }
}

async function pullWith(
  connection: Connection,
  reference: string,
  onProgress: (text: string) => void,
  signal: AbortSignal,
  credentials: Credentials,
): Promise<void> {
  const refuse = (why: string, cause?: unknown): AppError =>
    diskFull(`${reference} could not be pulled: ${why}`) ??
    new AppError('ImageNotFound', `${reference} could not be pulled: ${why}`, { cause });
  if (!isImageReference(reference)) throw refuse('it is not a reference to an image');
  if (reference.startsWith('sha256:')) throw refuse('an image named by its id can only be local');
  const registry = registryOf(reference);
  const auth = await credentials(registry);
  if (signal.aborted) throw new AppError('BuildAborted', 'the pull was stopped');
  const { docker, close } = connection.disposable();
  signal.addEventListener('abort', close, { once: true });
  try {
    const body = await docker.createImage({
      ...pullTarget(reference),
      ...(auth !== undefined && { authconfig: authConfigOf(auth, registry) }),
    });
    for await (const message of jsonLines(body as AsyncIterable<Uint8Array>)) {
      const { status, id, progressDetail } = message;
      const error = streamError(message);
      if (error !== undefined) throw refuse(error);
      // How far a layer is comes many times a second; what is said is its steps.
      const moving = Object.keys((progressDetail as object | undefined) ?? {}).length > 0;
      const layer = typeof id === 'string' ? `${id}: ` : '';
      onProgress(moving || typeof status !== 'string' ? '' : `${layer}${status}\n`);
    }
  } catch (error) {
    if (signal.aborted) throw new AppError('BuildAborted', 'the pull was stopped');
    if (error instanceof AppError) throw error;
    if (isUnavailable(error)) throw unavailable(error);
    throw refuse(failureOf(error).message, error);
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}
