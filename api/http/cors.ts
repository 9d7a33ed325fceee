import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a browser may rely on the answer to a preflight, in seconds. */
const PREFLIGHT_S_MAX = 600;
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** What a page may read beside the body. */
const EXPOSED = 'Allow, ETag, Location';

/** Gives true where it has answered the request itself: a preflight. */
export type Cors = (req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * Tells browsers that pages of these origins may read the answers, and send what they want to. It lets nobody in, nor
 * keeps anybody out: that is the guard's to do, before.
 * @param origins in lower case, as `Origin` has them
 */
export function createCors(origins: ReadonlySet<string>): Cors {
  if (origins.size === 0) return () => false;
  return (req, res) => {
    res.setHeader('Vary', 'Origin');
    const { origin } = req.headers;
    if (origin === undefined || !origins.has(origin.toLowerCase())) return false;
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Expose-Headers', EXPOSED);
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) return false;
    const asked = req.headers['access-control-request-headers'];
    res.writeHead(204, {
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Max-Age': PREFLIGHT_S_MAX,
      ...(asked !== undefined && { 'Access-Control-Allow-Headers': asked }),
      // A page of a public site asks for this before it calls a loopback address.
      ...(req.headers['access-control-request-private-network'] === 'true' && {
        'Access-Control-Allow-Private-Network': 'true',
      }),
    });
    res.end();
    return true;
  };
}
