import type Docker from 'dockerode';
import { streamError } from '../../controller/engine/docker/errors.ts';
import { SetupError } from './say.ts';

/** A registry that says nothing for this long is not there. */
const FIRST_WORD_MS_MAX = 10_000;
/** A pull that has begun may stall for a while on a slow line. */
const NEXT_WORD_MS_MAX = 60_000;

interface Message {
  stream?: string;
  status?: string;
  id?: string;
  error?: string;
}

export async function hasImage(docker: Docker, reference: string): Promise<boolean> {
  return (await imageId(docker, reference)) !== undefined;
}

export async function imageId(docker: Docker, reference: string): Promise<string | undefined> {
  try {
    return (await docker.getImage(reference).inspect()).Id;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** Pulls an image. Gives the reason where it can not be had, and gives up soon where nothing answers. */
export async function pullImage(
  docker: Docker,
  reference: string,
  onStep: (line: string) => void,
): Promise<string | undefined> {
  const abort = new AbortController();
  let patience = setTimeout(() => abort.abort(), FIRST_WORD_MS_MAX);
  try {
    const stream = await docker.pull(reference, { abortSignal: abort.signal });
    for await (const message of messages(stream)) {
      clearTimeout(patience);
      patience = setTimeout(() => abort.abort(), NEXT_WORD_MS_MAX);
      if (message.error) return message.error;
      if (message.status?.startsWith('Pull complete')) onStep(`  ${message.id}: pulled`);
    }
    return (await hasImage(docker, reference)) ? undefined : 'the pull ended without an image';
  } catch (error) {
    if (abort.signal.aborted) return 'it does not answer';
    // The engine's own words, without what the client puts around them.
    return String(error instanceof Error ? error.message : error)
      .replace(/^\(HTTP code \d+\) [^-]* - /, '')
      .trim();
  } finally {
    clearTimeout(patience);
  }
}

/** Builds and tags an image from a context; throws SetupError with the end of the log. */
export async function buildImage(
  docker: Docker,
  context: NodeJS.ReadableStream,
  tag: string,
  onLine: (line: string) => void,
  options: { labels?: Record<string, string>; buildArgs?: Record<string, string> } = {},
): Promise<void> {
  const log: string[] = [];
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  const buildargs = {
    ...Object.fromEntries(proxies.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    ...options.buildArgs,
  };
  const stream = await docker.buildImage(context, {
    t: tag,
    rm: true,
    forcerm: true,
    labels: options.labels ?? {},
    buildargs,
  });
  for await (const message of messages(stream)) {
    if (message.error) {
      throw new SetupError(`Building ${tag} failed: ${message.error}\n${log.slice(-15).join('\n')}`);
    }
    for (const line of (message.stream ?? '').split('\n')) {
      if (line.trim() === '') continue;
      log.push(line);
      onLine(line);
    }
  }
}

/** Reads an answer of the engine, which is one JSON document a line. */
export async function* messages(stream: NodeJS.ReadableStream): AsyncGenerator<Message> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const piece of stream) {
    const lines = (rest + piece.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) yield messageOf(line);
  }
  if (rest.trim()) yield messageOf(rest);
}

function messageOf(line: string): Message {
  const { errorDetail, error, ...message } = JSON.parse(line);
  const failure = streamError({ errorDetail, error });
  return failure === undefined ? message : { ...message, error: failure };
}
