import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { AppError } from '../../schemas/errors.ts';
import { StatusError } from '../errors.ts';
import type { ApiEnv } from './env.ts';
import { createJsonBounds } from './json-bounds.ts';

/** A body that takes longer than this to arrive is given up, in milliseconds. */
const BODY_MS_MAX = 300_000;

export type BodyKind = 'json' | 'yaml';

const TYPES: Record<BodyKind, readonly string[]> = {
  json: ['application/json'],
  // JSON is YAML too, and a page of another origin can send none of these without a preflight.
  yaml: ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'application/json'],
};

/**
 * The whole body as text, `''` where there is none. Refuses while it streams: too large is `PayloadTooLarge` as
 * soon as the limit is passed, so never more than `bytesMax` is held; a type other than `kind` is
 * `UnsupportedMediaType` at the first byte; bytes that are not UTF-8, and JSON of too many values, are `BadRequest`.
 * @param taken told of what has come, and throws where that is too much
 */
export async function readBody(
  c: Context<ApiEnv>,
  kind: BodyKind,
  bytesMax: number,
  taken: (bytes: number) => void = () => {},
): Promise<string> {
  const header = (name: string): string | undefined => c.req.header(name);
  if (lengthOf(c) > 0) checkType(header, kind);
  const sink = createSink(kind === 'yaml', () => checkType(header, kind));
  const count = kind === 'json' ? createJsonBounds() : () => {};
  await passBody(c, bytesMax, (chunk) => {
    taken(chunk.byteLength);
    sink.take(chunk);
    count(chunk);
  });
  return sink.text();
}

/** Gives the body piece by piece, and keeps nothing of it. Too large is `PayloadTooLarge`, as in `readBody`. */
export async function passBody(
  c: Context<ApiEnv>,
  bytesMax: number,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const incoming = c.env?.incoming;
  const chunked = c.req.header('transfer-encoding') !== undefined;
  if (incoming !== undefined && lengthOf(c) === 0 && !chunked) return;
  if (lengthOf(c) > bytesMax) throw tooLarge(bytesMax);
  let bytes = 0;
  const takeCounted = (chunk: Uint8Array): void => {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    if (chunk.byteLength > 0) take(chunk);
  };
  if (incoming !== undefined) await drainIncoming(incoming, takeCounted);
  else await drainStream(c.req.raw.body, takeCounted);
}

/**
 * The body as it comes, of any size, as fast as it is taken. What is left of it is thrown away, so that the client can
 * finish sending and read the answer; one that falls silent is given up.
 */
export async function* chunksOf(c: Context<ApiEnv>): AsyncGenerator<Uint8Array> {
  const incoming = c.env?.incoming;
  if (incoming === undefined) {
    if (c.req.raw.body !== null) yield* c.req.raw.body as unknown as AsyncIterable<Uint8Array>;
    return;
  }
  const silent = new StatusError(408, `nothing of the body came for ${BODY_MS_MAX / 1000} s`);
  let timer = setTimeout(() => incoming.destroy(silent), BODY_MS_MAX);
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      clearTimeout(timer);
      yield chunk as Uint8Array;
      timer = setTimeout(() => incoming.destroy(silent), BODY_MS_MAX);
    }
  } catch (cause) {
    throw cause instanceof StatusError ? cause : cutOff(cause instanceof Error ? cause : undefined);
  } finally {
    clearTimeout(timer);
    incoming.on('error', () => {});
    incoming.resume();
  }
}

/** As the header says, in bytes; 0 where it says nothing. */
function lengthOf(c: Context<ApiEnv>): number {
  return Number(c.req.header('content-length') ?? 0);
}

/** @param keepsMark whether a byte order mark is part of the text */
function createSink(
  keepsMark: boolean,
  onFirstByte: () => void,
): { take(chunk: Uint8Array): void; text(): string } {
  const chunks: Uint8Array[] = [];
  return {
    take(chunk) {
      if (chunks.length === 0) onFirstByte();
      chunks.push(chunk);
    },
    text() {
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: keepsMark }).decode(Buffer.concat(chunks));
      } catch (cause) {
        throw new AppError('BadRequest', 'the body is not valid UTF-8', { cause });
      }
    },
  };
}

/**
 * Straight from the socket's stream: a web stream around it can not be left half read without either destroying
 * the connection, and the answer with it, or buffering the rest.
 */
function drainIncoming(req: IncomingMessage, take: (chunk: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: unknown): void => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError);
      if (error === undefined) {
        resolve();
        return;
      }
      // What still comes is thrown away, so that the client can finish sending and read the answer.
      req.on('error', () => {});
      req.resume();
      reject(error);
    };
    const onData = (chunk: Uint8Array): void => {
      try {
        take(chunk);
      } catch (error) {
        finish(error);
      }
    };
    const onEnd = (): void => finish();
    const onError = (cause: Error): void => finish(cutOff(cause));
    const onClose = (): void => finish(cutOff());
    const timer = setTimeout(
      () => finish(new StatusError(408, `the body did not arrive within ${BODY_MS_MAX / 1000} s`)),
      BODY_MS_MAX,
    );
    timer.unref();
    req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError);
  });
}

async function drainStream(
  body: ReadableStream<Uint8Array> | null,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function cutOff(cause?: Error): StatusError {
  return new StatusError(400, 'the connection ended before the body did', cause?.message);
}

function tooLarge(bytesMax: number): AppError {
  return new AppError('PayloadTooLarge', `the body is over the limit of ${describeBytes(bytesMax)}`);
}

function describeBytes(bytes: number): string {
  return bytes % (1024 * 1024) === 0 ? `${bytes / 1024 / 1024} MiB` : `${bytes} bytes`;
}

function checkType(header: (name: string) => string | undefined, kind: BodyKind): void {
  const allowed = TYPES[kind];
  const [type = '', ...parameters] = (header('content-type') ?? '').toLowerCase().split(';');
  if (!allowed.includes(type.trim())) {
    const given = type.trim() === '' ? 'no Content-Type' : `Content-Type ${JSON.stringify(type.trim())}`;
    throw new AppError('UnsupportedMediaType', `the body has ${given}; this route takes ${allowed[0]}`, {
      hint: `send the header Content-Type: ${allowed[0]}`,
    });
  }
  for (const parameter of parameters) {
    const [key = '', value = ''] = parameter.split('=');
    const charset = value.trim().replaceAll('"', '');
    if (key.trim() === 'charset' && charset !== 'utf-8' && charset !== 'utf8') {
      throw new AppError('UnsupportedMediaType', `charset ${JSON.stringify(charset)} is not read here`, {
        hint: 'send UTF-8',
      });
    }
  }
  const encoding = (header('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity') {
    throw new AppError(
      'UnsupportedMediaType',
      `Content-Encoding ${JSON.stringify(encoding)} is not read here`,
      {
        hint: 'send the body without compression',
      },
    );
  }
}
