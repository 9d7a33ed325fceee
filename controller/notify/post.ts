import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Letter } from './form.ts';

/** What a receiver says beside its status is read up to here, and means nothing. */
const ANSWER_BYTES_MAX = 65_536;
const RETRY_AFTER = /^\d{1,6}$/;
/** And this long, in milliseconds. */
const ANSWER_MS_MAX = 1_000;

/** Refusals that somebody may put right at the receiver, or that pass: sign-in, a path that is not there yet, too much at once. */
const MAY_PASS: readonly number[] = [401, 403, 404, 407, 408, 409, 423, 425, 429];

/** A receiver answered, and did not take it. */
export class NotTaken extends Error {
  /** How long it wants to be left alone, in milliseconds; 0 where it does not say. */
  readonly retryAfterMs: number;
  /** It will not take this one at a later time either: it is the notice that it refuses, and nothing of the moment. */
  readonly isFinal: boolean;

  constructor(status: number, retryAfterMs: number) {
    super(`it answered ${status}`);
    this.name = 'NotTaken';
    this.retryAfterMs = retryAfterMs;
    this.isFinal = status >= 400 && status < 500 && !MAY_PASS.includes(status);
  }
}

/** Posts over a connection of its own. Rejects `NotTaken` for every answer but 2xx: no redirect is followed. */
export type Post = (url: URL, letter: Letter, signal: AbortSignal) => Promise<void>;

export const post: Post = (url, { headers, body }, signal) =>
  new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const length = { 'Content-Length': String(Buffer.byteLength(body)), 'User-Agent': 'hersh-host' };
    const req = send(url, { method: 'POST', agent: false, signal, headers: { ...headers, ...length } });
    req.on('error', reject);
    req.on('response', (res) => {
      const { statusCode = 0 } = res;
      const seconds = res.headers['retry-after'] ?? '';
      const waitMs = RETRY_AFTER.test(seconds) ? Number(seconds) * 1000 : 0;
      if (statusCode >= 200 && statusCode < 300) resolve();
      else reject(new NotTaken(statusCode, waitMs));
      const limit = setTimeout(() => req.destroy(), ANSWER_MS_MAX).unref();
      let bytes = 0;
      res.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) req.destroy();
      });
      // Its status counts, whatever becomes of the rest.
      res.on('error', () => undefined);
      res.on('close', () => clearTimeout(limit));
    });
    req.end(body);
  });
