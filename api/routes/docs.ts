import { createHash } from 'node:crypto';
import type { ApiDeps } from '../deps.ts';
import type { ApiDocument } from '../docs/document.ts';
import { docsPage, STYLE_PATH } from '../docs/page.ts';
import { DOCS_STYLE } from '../docs/style.ts';
import { listed, quoted } from '../http/etags.ts';
import { type RouteContext, type Routes, sendBytes } from '../http/route.ts';

/** It has no script; what it may load is its own style. */
const POLICY =
  "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

interface Page {
  body: Uint8Array;
  etag: string;
  type: string;
}

/** The description of the API for people, at `/docs`. Made when it is first asked for. */
export function addDocsRoutes(routes: Routes, deps: Pick<ApiDeps, 'openapi'>): void {
  let page: Page | undefined;
  let style: Page | undefined;
  routes.add('/docs', {
    GET: (context) => {
      page ??= made(docsPage(deps.openapi() as ApiDocument), 'text/html; charset=utf-8');
      return send(context, page);
    },
  });
  routes.add(STYLE_PATH, {
    GET: (context) => {
      style ??= made(DOCS_STYLE, 'text/css; charset=utf-8');
      return send(context, style);
    },
  });
}

function made(text: string, type: string): Page {
  const body = Buffer.from(text);
  return { body, type, etag: createHash('sha256').update(body).digest('base64url').slice(0, 22) };
}

function send({ c }: RouteContext, { body, etag, type }: Page): Response {
  const headers = { ...HEADERS, ETag: quoted(etag) };
  if (listed(c.req.header('If-None-Match') ?? '', etag, true))
    return new Response(null, { status: 304, headers });
  return sendBytes(body, type, 200, headers);
}
