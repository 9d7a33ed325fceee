import { fileURLToPath } from 'node:url';
import { NAME_PATTERN } from '../../schemas/program.ts';
import { answerOf, errorAnswer, unknownRoute } from '../errors.ts';
import { chooseCoding, prefersHtml, varyBy } from '../http/accept.ts';
import { listed, quoted } from '../http/etags.ts';
import { type RouteContext, type Routes, sendBytes, sendError } from '../http/route.ts';
import { type BuiltPage, openBuiltPage, type PageFile } from './built-page.ts';

const BUILT = fileURLToPath(new URL('../ui/dist/', import.meta.url));
const PREFIX = '/ui';
/** Names of these files have a hash of what is in them. */
const HASHED = 'assets/';
/** What the page shows something at, below its prefix; a program's own beside these. */
const PLACES: readonly string[] = ['', 'programs', 'deploy', 'host', 'reasons', 'signin'];
const PROGRAM = 'programs/';

/** The page may load what comes from this host, and nothing that is written into it. */
const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...[
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ],
].join('; ');

const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  // A link elsewhere may open it (`guard.ts`): who did has no hold on its window.
  'Cross-Origin-Opener-Policy': 'same-origin',
};

const NOT_BUILT = 'the page has not been built';
const TO_BUILD = 'npm run build';
const NOT_BUILT_HTML = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Hersh Host</title>
<h1>Hersh Host: ${NOT_BUILT}</h1>
<p>Run <code>${TO_BUILD}</code> where the host was started from, and load this again.
The host itself runs: <a href="/programs">/programs</a>.
`;

/** The page that people use, below `/ui`; and `/`, which leads browsers there. */
export function addPageRoutes(routes: Routes, folder = BUILT): void {
  const built = openBuiltPage(folder);
  // The URL is the view: what is in its query is the page's own.
  const takes = { GET: { query: 'any' } } as const;
  routes.add('/', { GET: leadToPage }, takes);
  routes.add(`${PREFIX}/*`, { GET: async (context) => showPage(context, await built()) }, takes);
}

function leadToPage({ c }: RouteContext): Response {
  const headers = { Vary: varyBy(c, 'Accept') };
  if (!prefersHtml(c.req.header('Accept')))
    return sendError(answerOf(unknownRoute(c.req.method, '/')), headers);
  return sendBytes('', 'text/plain; charset=utf-8', 303, { ...headers, Location: PREFIX });
}

function showPage(context: RouteContext, page: BuiltPage | undefined): Response {
  const { c } = context;
  if (page === undefined) return sayNotBuilt(context);
  const path = c.req.path.slice(PREFIX.length + 1);
  const file = page.files.get(path);
  if (file !== undefined) {
    return sendFile(
      context,
      file,
      path.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache',
    );
  }
  if (path.startsWith(HASHED)) {
    const hint = 'the page was built anew since: load it again';
    return sendError(errorAnswer(404, `the page has no file ${JSON.stringify(path)}`, { hint }));
  }
  return sendFile(context, page.shell, 'no-cache', isPlace(path) ? 200 : 404);
}

function isPlace(path: string): boolean {
  if (PLACES.includes(path)) return true;
  return path.startsWith(PROGRAM) && NAME_PATTERN.test(path.slice(PROGRAM.length));
}

function sendFile({ c }: RouteContext, file: PageFile, cacheControl: string, status = 200): Response {
  const vary = { Vary: varyBy(c, 'Accept-Encoding') };
  const coding = chooseCoding(c.req.header('Accept-Encoding'), (one) => file.forms.has(one));
  const form = coding && file.forms.get(coding);
  if (form === undefined) {
    const hint = `it is there as: ${[...file.forms.keys()].join(', ')}`;
    return sendError(errorAnswer(406, 'Accept-Encoding names no coding of this file', { hint }), vary);
  }
  const headers: Record<string, string> = {
    ...PAGE_HEADERS,
    ...vary,
    'Cache-Control': cacheControl,
    ETag: quoted(form.etag),
  };
  if (status === 200 && listed(c.req.header('If-None-Match') ?? '', form.etag, true)) {
    return new Response(null, { status: 304, headers });
  }
  headers['Content-Length'] = String(form.body.byteLength);
  if (coding !== undefined && coding !== 'identity') headers['Content-Encoding'] = coding;
  return sendBytes(form.body, file.type, status, headers);
}

function sayNotBuilt({ c }: RouteContext): Response {
  const headers = { ...PAGE_HEADERS, Vary: varyBy(c, 'Accept') };
  if (prefersHtml(c.req.header('Accept'))) {
    return sendBytes(NOT_BUILT_HTML, 'text/html; charset=utf-8', 503, headers);
  }
  return sendError(errorAnswer(503, NOT_BUILT, { hint: TO_BUILD }), headers);
}
