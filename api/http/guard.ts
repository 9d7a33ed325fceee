import type { IncomingMessage } from 'node:http';
import { AppError } from '../../schemas/errors.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
/** `/`, `/docs` and the page's own addresses, written plainly: none that comes to another route by its dots. */
const PAGE = /^\/(?:docs|ui(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*\/?)?(?:[?#]|$)/;
/** What a program serves, which a page of another program may link to; of another site nothing may. */
const PROXIED = /^\/programs\/[A-Za-z0-9][A-Za-z0-9._-]*\/proxy(?:[/?#]|$)/;
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?$/;

/** What `Sec-Fetch-Site` says of pages that are not this host's own: another port of a machine is the same site. */
const FOREIGN = new Map([
  ['cross-site', 'site'],
  ['same-site', 'origin'],
]);

/** Why the request is refused, or undefined. */
export type OriginGuard = (req: IncomingMessage) => AppError | undefined;

/**
 * Keeps web pages out. The API has no passwords on loopback, so any page in the user's browser could drive it:
 * a name that resolves here (DNS rebinding) is caught by `Host`, a page of another origin by `Origin` and
 * `Sec-Fetch-Site`. Another port is another origin, though the same site: what a program serves on its own port may not
 * drive the host either. A link elsewhere may lead to the pages (`/`, `/ui`, `/docs`), one on the same site to what programs
 * serve, which is all that such a page may do.
 * @param hosts names accepted besides localhost, 127.0.0.1 and [::1]; ports do not matter
 * @param origins whose pages may use the API, in lower case, as `Origin` has them
 * @param anyHost requests, `POST /path`, that may come under any name: they prove by a secret whose they are, which no
 *   page knows, and what passes them on from outside need not be given a name that opens all the rest
 */
export function createOriginGuard(
  hosts: readonly string[],
  origins: ReadonlySet<string>,
  anyHost: readonly string[] = [],
): OriginGuard {
  const known = new Set([...LOOPBACK_NAMES, ...hosts.map((name) => name.toLowerCase())]);

  return (req) => {
    const host = req.headers.host;
    if (host === undefined || host === '') {
      return new AppError('BadRequest', 'the Host header is missing');
    }
    if (countHosts(req.rawHeaders) > 1) {
      return new AppError('BadRequest', 'there is more than one Host header');
    }
    const authority = host.toLowerCase();
    const name = AUTHORITY.exec(authority)?.[1];
    const isKnown = name !== undefined && (known.has(name) || anyHost.includes(`${req.method} ${req.url}`));
    if (!isKnown) {
      return new AppError('Forbidden', `Host ${JSON.stringify(host)} is not one this API serves`, {
        hint: `use one of: ${[...known].join(', ')}`,
      });
    }
    const origin = req.headers.origin;
    if (origin !== undefined && origins.has(origin.toLowerCase())) return undefined;
    if (origin !== undefined && !isOriginOf(origin, authority)) {
      // `null` is what any page can pass for.
      const flag =
        origin === 'null' ? '--allowed-origins and an origin of its own' : `--allowed-origins ${origin}`;
      return new AppError('Forbidden', `Origin ${JSON.stringify(origin)} may not use this API`, {
        hint: `web pages of other origins are refused; start the host with ${flag} to let this one in, or call the API from a program or a script`,
      });
    }
    const from = FOREIGN.get(req.headers['sec-fetch-site'] ?? '');
    if (from !== undefined && !opensPage(req)) {
      return new AppError('Forbidden', `a page of another ${from} may not use this API`, {
        hint: 'web pages of other origins are refused (Sec-Fetch-Site); open the address by hand, or let its origin in with --allowed-origins',
      });
    }
    return undefined;
  };
}

/** A person's way to the page by a link elsewhere: it comes to a window of its own, of which the other site reads nothing. */
function opensPage({ method, url = '', headers }: IncomingMessage): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    (PAGE.test(url) || (headers['sec-fetch-site'] === 'same-site' && PROXIED.test(url)))
  );
}

function isOriginOf(origin: string, authority: string): boolean {
  const lower = origin.toLowerCase();
  return lower === `http://${authority}` || lower === `https://${authority}`;
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name !== undefined && name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}
