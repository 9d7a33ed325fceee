import { createApi } from '../../api/app.ts';
import type { ApiOptions } from '../../api/http/route.ts';
import type { ProgramView } from '../../api/program-answers.ts';
import { fakePage } from './fake-page.ts';
import { type FakeHost, fakeHost } from './fakes.ts';
import { assertDocumented, openapi } from './openapi.ts';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON, `{}` where it is none. */
  json: Record<string, unknown>;
}

export interface Caller {
  host: FakeHost;
  /** Sends a request to the app, without a socket; fails where openapi.yaml does not know the answer. */
  call(method: string, path: string, init?: CallInit): Promise<Answer>;
  /** As `call`, with the response itself, for streams. */
  open(path: string, headers?: Record<string, string>): Promise<Response>;
}

export interface CallInit {
  /** Sent as JSON with its type. */
  json?: unknown;
  body?: string | Uint8Array | ReadableStream<Uint8Array>;
  headers?: Record<string, string>;
}

let page: string | undefined;

/** An app over a fake host with these programs, and a page as small as can be. */
export function caller(views: readonly ProgramView[] = [], options: ApiOptions = {}): Caller {
  const host = fakeHost(views, openapi);
  page ??= fakePage();
  const app = createApi(host.deps, { pageFolder: page, ...options });
  return {
    host,
    async call(method, path, init = {}) {
      const headers: Record<string, string> = { ...init.headers };
      let body = init.body;
      if ('json' in init) {
        body = JSON.stringify(init.json);
        headers['Content-Type'] ??= 'application/json';
      }
      const request: RequestInit = { method, headers };
      if (body !== undefined) Object.assign(request, { body, duplex: 'half' });
      const response = await app.request(path, request);
      const text = await response.text();
      const contentType = response.headers.get('Content-Type') ?? '';
      assertDocumented(method, path, { status: response.status, contentType, text });
      const isJson = contentType.startsWith('application/json') && text !== '';
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson ? JSON.parse(text) : {},
      };
    },
    open: async (path, headers = {}) => app.request(path, { headers }),
  };
}
