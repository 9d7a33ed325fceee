import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../schemas/errors.ts';
import { answerHeaders } from './headers.ts';

const EMPTY = Buffer.alloc(0);
/** What Node hands to the system without a copy of its own, headers aside. */
const ONE_STRING_BYTES_MAX = 8 * 1024;
/** Answers that have none by their status (RFC 9110, 6.4.1 and 15.3.6). */
const BODILESS = new Set([204, 205, 304]);
/** May not stand behind a body: framing, routing, and what says how the body is to be read (RFC 9110, 6.5.1). */
const NOT_IN_TRAILERS = new Set([
  ...['transfer-encoding', 'content-length', 'content-encoding', 'content-type', 'content-range', 'trailer'],
  ...['host', 'connection', 'keep-alive', 'upgrade', 'te', 'location', 'set-cookie', 'authorization'],
  ...['content-security-policy', 'x-content-type-options', 'cache-control', 'expires', 'vary', 'age', 'date'],
]);

/** The head of a program's answer. */
export interface AnswerHead {
  status: number;
  /** One byte a character, as it came. */
  phrase: string;
  /** Flat `[name, value, …]`. */
  raw: readonly (string | Buffer)[];
}

/** What is left to do after the head: pass the body on, or nothing but to read the end, or to hang up on the program. */
export type AfterHead = 'body' | 'end' | 'close';

/**
 * Sends the head at once, before a first byte of the body, however long that takes to come. An answer that can have
 * no body is whole with it, whatever length or body the program sends: what one side reads with a body and the
 * other without must not exist. Throws `BadGateway` for what can not be passed on.
 */
export function sendHead(res: ServerResponse, head: AnswerHead): AfterHead {
  const after = begin(res, head);
  // An empty write and not flushHeaders, which would encode them as UTF-8.
  if (after === 'body') res.write(EMPTY);
  return after;
}

/** As `sendHead`, where the answer is there to its end, `body` all of its body: both leave in one piece. */
export function sendWhole(res: ServerResponse, head: AnswerHead, body: Buffer | undefined): AfterHead {
  const after = begin(res, head);
  if (after !== 'body') return after;
  if (body === undefined || body.length > ONE_STRING_BYTES_MAX || res.chunkedEncoding) {
    res.end(body);
    return after;
  }
  // As one string, and before `end` puts an empty one behind it: a write of several costs half as much again.
  res.write(body.toString('latin1'), 'latin1');
  res.socket?.uncork();
  res.end();
  return after;
}

function begin(res: ServerResponse, { status, phrase, raw }: AnswerHead): AfterHead {
  const claims = bodyClaims(raw);
  if (claims.coding !== '' && claims.coding !== 'chunked') {
    throw new AppError('BadGateway', `the program answers in the transfer coding ${claims.coding}`, {
      hint: 'nobody asked for one, and it is not passed on; compress with Content-Encoding',
    });
  }
  const isHead = res.req.method === 'HEAD';
  const headers = answerHeaders(raw, status);
  if (!BODILESS.has(status) && !isHead) {
    write(res, status, phrase, headers);
    return 'body';
  }
  const isCut = !isHead && claims.body;
  if (isCut) headers.push('Connection', 'close');
  write(res, status, phrase, headers);
  res.end();
  return isCut ? 'close' : 'end';
}

/**
 * Sends a whole answer as it comes, each side waiting for the other; one that the program breaks off is broken off.
 * Throws and gives as `sendHead`, before a byte is sent.
 */
export function passAnswer(answer: IncomingMessage, res: ServerResponse): AfterHead {
  const { statusCode = 502, statusMessage = '', rawHeaders } = answer;
  answer.on('error', () => res.destroy());
  const after = sendHead(res, { status: statusCode, phrase: statusMessage, raw: rawHeaders });
  if (after !== 'body') return after;
  answer.on('data', (chunk: Buffer) => {
    if (!res.write(chunk)) answer.pause();
  });
  res.on('drain', () => answer.resume());
  answer.on('end', () => {
    sendTrailers(res, answer.rawTrailers);
    res.end();
  });
  answer.on('close', () => {
    if (!answer.complete) res.destroy();
  });
  return after;
}

/** Trailers, flat; a client that gets the body with a length, or speaks HTTP/1.0, does without. */
export function sendTrailers(res: ServerResponse, raw: readonly (string | Buffer)[]): void {
  const trailers = allowedTrailers(raw);
  if (trailers.length > 0) res.addTrailers(trailers);
}

/** Those that may stand behind a body, in pairs. */
export function allowedTrailers(raw: readonly (string | Buffer)[]): [name: string, value: string][] {
  const allowed: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i]);
    if (!NOT_IN_TRAILERS.has(name.toLowerCase())) allowed.push([name, text(raw[i + 1])]);
  }
  return allowed;
}

function write(res: ServerResponse, status: number, phrase: string, headers: string[]): void {
  // Control characters may not stand there; Node would throw.
  if (phrase === '' || /[^\t\x20-\x7e\x80-\xff]/.test(phrase)) res.writeHead(status, headers);
  else res.writeHead(status, phrase, headers);
}

/** Which body the headers announce, whatever the status says of it. */
function bodyClaims(raw: readonly (string | Buffer)[]): { body: boolean; coding: string } {
  let body = false;
  const codings: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const { length } = raw[i] as string | Buffer;
    if (length !== 14 && length !== 17) continue;
    const name = text(raw[i]).toLowerCase();
    if (name === 'content-length') body ||= !/^0+$/.test(text(raw[i + 1]));
    else if (name === 'transfer-encoding')
      codings.push(
        text(raw[i + 1])
          .trim()
          .toLowerCase(),
      );
  }
  return { body: body || codings.length > 0, coding: codings.join(', ') };
}

function text(value: string | Buffer | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : value.toString('latin1');
}
