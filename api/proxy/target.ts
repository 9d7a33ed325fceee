import { decodeOnce } from '../../schemas/decode-once.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';

/** What a proxied request asks for. */
export interface ProxyTarget {
  /** Of the program; may be no name that a program can have. */
  name: string;
  /** Request target as the program gets it. */
  path: string;
  /** The path in front of it, e.g. `/programs/x/proxy`. */
  prefix: string;
}

/** Where programs listen: on no other address of the machine. */
export const TARGET_HOST = '127.0.0.1';

const PREFIX = '/programs/';
const SUFFIX = '/proxy';

/** Where `/programs/{id}/proxy` ends in a request target, or -1 where it is no such path. */
function proxyEnd(url: string): number {
  if (!url.startsWith(PREFIX)) return -1;
  const slash = url.indexOf('/', PREFIX.length);
  if (slash === -1 || !url.startsWith(SUFFIX, slash)) return -1;
  const end = slash + SUFFIX.length;
  const next = url[end];
  if (next !== undefined && next !== '/' && next !== '?') return -1;
  // A `?` before the slash: all of this is a query.
  const query = url.indexOf('?');
  return query !== -1 && query < end ? -1 : end;
}

/** Whether `url`, a request target in origin form, is a proxy path. */
export function isProxyPath(url: string): boolean {
  return proxyEnd(url) !== -1;
}

/** Call only for a proxy path. */
export function targetOf(url: string): ProxyTarget {
  const end = proxyEnd(url);
  const rest = url.slice(end);
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return { name: decodeOnce(url.slice(PREFIX.length, end - SUFFIX.length)), path, prefix: url.slice(0, end) };
}

/** Whether a program may have that name at all. */
export function isName(name: string): boolean {
  return NAME_PATTERN.test(name);
}
