// Not the global one: Node 20's never settles when a peer closes before the request is written, as docker-proxy does.
import { type Dispatcher, fetch } from 'undici';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** The body as JSON; `undefined` where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape, looked at field by field
  json: any;
}

export interface AskInit {
  method?: string;
  /** An object is sent as JSON, a string as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Where the address is not on this network. */
  dispatcher?: Dispatcher;
}

/** One request on a connection of its own, so that no kept one outlives the host that answered it. */
export async function ask(url: string, init: AskInit = {}): Promise<Answer> {
  const { method = 'GET', body } = init;
  const headers: Record<string, string> = { connection: 'close', ...init.headers };
  if (body !== undefined && headers['content-type'] === undefined)
    headers['content-type'] = 'application/json';
  const response = await fetch(url, {
    method,
    headers,
    redirect: 'manual',
    ...(init.dispatcher === undefined ? {} : { dispatcher: init.dispatcher }),
    signal: AbortSignal.timeout(60_000),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text,
    json: parse(text),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
