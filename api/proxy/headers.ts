import type { IncomingMessage } from 'node:http';
import { HOP_BY_HOP } from '../../schemas/hop-by-hop.ts';
import { SESSION_COOKIE_PREFIX, SESSION_HEADER } from '../../schemas/session-names.ts';
import { bearerIn, isForHost } from '../../schemas/token.ts';

/** Of requests: `host` names this server, `expect` is answered here, the rest is set anew. */
const DROPPED_FROM_REQUEST = new Set([
  ...HOP_BY_HOP,
  'host',
  'expect',
  'http2-settings',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  SESSION_HEADER.toLowerCase(),
]);

/** What lets its client in at this host is not the program's to know. */
const OWN_COOKIE = new RegExp(`^\\s*${SESSION_COOKIE_PREFIX}`);

/** Of answers: `nosniff` is set anew. */
const DROPPED_FROM_ANSWER = new Set([...HOP_BY_HOP, 'x-content-type-options']);

/**
 * The headers the program gets, flat `[name, value, …]` in the order they came. `prefix` is the path in front of
 * the program's own, e.g. `/programs/x/proxy`.
 */
export function requestHeaders(req: IncomingMessage, prefix: string): string[] {
  const { rawHeaders } = req;
  const named = namedByConnection(req.headers.connection);
  const headers: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const lower = name.toLowerCase();
    if (DROPPED_FROM_REQUEST.has(lower) || named?.has(lower)) continue;
    const value =
      lower === 'cookie' || lower === 'authorization'
        ? passed(lower, rawHeaders[i + 1] as string)
        : rawHeaders[i + 1];
    if (value !== undefined) headers.push(name, value);
  }
  const from = req.socket.remoteAddress ?? '';
  const before = req.headers['x-forwarded-for'];
  headers.push(
    'X-Forwarded-For',
    before === undefined ? from : `${before}, ${from}`,
    'X-Forwarded-Host',
    req.headers.host ?? '',
    'X-Forwarded-Proto',
    'encrypted' in req.socket ? 'https' : 'http',
    'X-Forwarded-Prefix',
    prefix,
  );
  return headers;
}

/**
 * The headers the client gets, flat, from those of the program, flat: none that speak of its connection, and the
 * two that keep what it serves from acting as a page of this API, with which it shares an origin. A policy of its
 * own stays beside ours: a browser applies both.
 */
export function answerHeaders(raw: readonly (string | Buffer)[], status: number): string[] {
  const headers: string[] = [];
  let named: ReadonlySet<string> | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = latin1(raw[i]);
    const lower = name.toLowerCase();
    if (DROPPED_FROM_ANSWER.has(lower)) {
      if (lower === 'connection') named = union(named, namedByConnection(latin1(raw[i + 1])));
      continue;
    }
    // Nor may it sign a browser in, or out.
    if (lower === 'set-cookie' && OWN_COOKIE.test(latin1(raw[i + 1]))) continue;
    // A 204 with a length is malformed (RFC 9110, 8.6), and a 205 says 0 (15.3.6).
    if ((status === 204 || status === 205) && lower === 'content-length') continue;
    headers.push(name, latin1(raw[i + 1]));
  }
  if (status === 205) headers.push('Content-Length', '0');
  headers.push('Content-Security-Policy', 'sandbox', 'X-Content-Type-Options', 'nosniff');
  return named === undefined ? headers : without(headers, named);
}

/** A header without what is the host's own; undefined where nothing is left of it. */
function passed(name: 'cookie' | 'authorization', value: string): string | undefined {
  if (name === 'authorization') return isForHost(bearerIn(value) ?? '') ? undefined : value;
  if (!value.includes(SESSION_COOKIE_PREFIX)) return value;
  const kept = value.split(';').filter((part) => !OWN_COOKIE.test(part));
  return kept.length === 0 ? undefined : kept.join(';').trim();
}

/** Header names a `Connection` header lists, in lower case; undefined for the usual ones that list none. */
function namedByConnection(value: string | undefined): Set<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  const names = new Set<string>();
  for (const part of value.split(',')) {
    const name = part.trim().toLowerCase();
    // Naming the framing or the policy may not take them away.
    if (name !== '' && name !== 'content-length' && name !== 'content-security-policy') names.add(name);
  }
  return names;
}

function union(
  a: ReadonlySet<string> | undefined,
  b: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return new Set([...a, ...b]);
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length - 4; i += 2) {
    const name = headers[i] as string;
    if (!names.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return [...kept, ...headers.slice(-4)];
}

function latin1(value: string | Buffer | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : value.toString('latin1');
}
