import type Docker from 'dockerode';
import { AppError, messageOf } from '../../../schemas/errors.ts';
import type { BuildImage } from '../engine.ts';
import { createBuildLog, type DecodeTrace } from './build-log.ts';
import { createClassicSteps } from './classic-steps.ts';
import { type Connection, jsonLines, openStream } from './client.ts';
import {
  besideDockerfile,
  buildError,
  diskFull,
  engineError,
  failureOf,
  isUnavailable,
  streamError,
  unavailable,
} from './errors.ts';
import { openFileSession, openSession, type Session } from './file-session.ts';
import { createSecrets } from './registry-auth.ts';

/**
 * Builds with BuildKit, from a tar, without a client tool. Gives the image's id.
 *
 * The build has a client of its own: BuildKit calls back over a session for registry credentials (a public image needs
 * the answer "none"), and all of it has to end with the build.
 *
 * Rejects as `Engine.build` does.
 */
export async function buildImage(
  connection: Connection,
  decode: DecodeTrace,
  request: BuildImage,
  onLog: (text: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const secrets = createSecrets();
  // A build may end while a look-up goes on.
  const over = new AbortController();
  const credentials = secrets.noting(request.credentials, AbortSignal.any([signal, over.signal]));
  // What the steps are and print is their author's, who could have words tried out by what is masked of them.
  const mask = (text: string) => besideDockerfile(text, secrets.mask);
  try {
    return await buildWith(connection, decode, { ...request, credentials }, { onLog, mask }, signal);
  } catch (error) {
    throw secrets.maskedError(error, mask);
  } finally {
    over.abort();
  }
}

/** A build that asks for credentials. */
type Request = BuildImage & Required<Pick<BuildImage, 'credentials'>>;

/** Where its log goes, and what hides credentials in errors. */
interface Words {
  onLog: (text: string) => void;
  mask: (text: string) => string;
}

async function buildWith(
  connection: Connection,
  decode: DecodeTrace,
  request: Request,
  { onLog, mask }: Words,
  signal: AbortSignal,
): Promise<string> {
  if (signal.aborted) throw aborted();
  const { docker, close } = connection.disposable();
  const log = createBuildLog(onLog, mask, request.onStep);
  const classic = createClassicSteps(request.onStep ?? (() => {}));
  let contextError: unknown;
  const onContextError = (error: unknown): void => {
    contextError = error;
    close();
  };
  // Closing the connection is how a build is cancelled; BuildKit ends its steps within 1.5 s of it.
  signal.addEventListener('abort', close, { once: true });
  let begun: Begun | undefined;
  try {
    const begin = Object.keys(request.aside ?? {}).length === 0 ? beginWithTar : beginWithSession;
    begun = await begin(docker, request, onContextError);
    const id = await readBuild(begun.body, decode, log, (text) => {
      onLog(mask(text));
      classic.take(mask(text));
    });
    classic.end();
    return id;
  } catch (error) {
    if (signal.aborted) throw aborted();
    if (contextError instanceof AppError) throw contextError;
    if (contextError !== undefined) {
      const message = `the build context could not be read: ${messageOf(contextError)}`;
      throw new AppError('RegistryUnavailable', message, { cause: contextError });
    }
    if (error instanceof AppError || isUnavailable(error)) throw engineError(error, 'BuildFailed');
    throw diskFull(failureOf(error).message) ?? engineError(error, 'BuildFailed');
  } finally {
    log.flush();
    signal.removeEventListener('abort', close);
    begun?.end();
    close();
  }
}

/** A build under way: what it says, and what gives back all that it took. */
interface Begun {
  body: AsyncIterable<Uint8Array>;
  end: () => void;
}

type OnError = (error: unknown) => void;

function queryOf(request: BuildImage) {
  return {
    ...(request.pull === true && { pull: 'true' }),
    t: request.tag,
    dockerfile: request.dockerfile,
    buildargs: request.args,
    labels: request.labels,
    rm: true,
    forcerm: true,
  };
}

async function beginWithTar(docker: Docker, request: Request, onError: OnError): Promise<Begun> {
  const context = request.context();
  const destroy = () => (context as { destroy?: () => void }).destroy?.();
  context.once('error', onError);
  let session: Session | undefined;
  try {
    session = await openSession(docker, request.credentials);
    const { close } = session;
    // As a number: for the text dockerode opens a session of its own, whose credentials are one for all registries.
    const options = { ...queryOf(request), version: 2, session: session.id };
    const body = await docker.buildImage(context, options as never);
    const end = () => {
      close();
      destroy();
    };
    return { body: body as unknown as AsyncIterable<Uint8Array>, end };
  } catch (error) {
    session?.close();
    destroy();
    throw error;
  }
}

/** As the docker command does: context and Dockerfile go over the session too. */
async function beginWithSession(docker: Docker, request: Request, onError: OnError): Promise<Begun> {
  const session = await openFileSession(docker, request, onError);
  const options = { ...queryOf(request), version: '2', remote: 'client-session', session: session.id };
  try {
    const body = await openStream(docker, '/build', options, undefined, 'POST');
    return { body, end: session.close };
  } catch (error) {
    session.close();
    throw error;
  }
}

async function readBuild(
  body: AsyncIterable<Uint8Array>,
  decode: DecodeTrace,
  log: ReturnType<typeof createBuildLog>,
  onLog: (text: string) => void,
): Promise<string> {
  let imageId = '';
  for await (const message of jsonLines(body)) {
    const { id, aux, stream } = message;
    const error = streamError(message);
    if (error !== undefined) throw buildError(error, log.failedTail());
    if (id === 'moby.buildkit.trace' && typeof aux === 'string') log.take(decode(aux));
    else if (typeof stream === 'string') onLog(stream);
    const built = (aux as { ID?: unknown } | undefined)?.ID;
    if (typeof built === 'string') imageId = built;
  }
  if (imageId === '') throw unavailable(new Error('the build ended without a word'));
  return imageId;
}

function aborted(): AppError {
  return new AppError('BuildAborted', 'the build was stopped');
}
