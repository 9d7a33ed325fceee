// Not the global one: Node 20's never settles when a peer closes before the request is written, as docker-proxy does.
import { fetch, type RequestInit } from 'undici';
import { SetupError } from './say.ts';

/** A program as GET answers it; only what the setup looks at. */
export interface ProgramAnswer {
  program_id: string;
  build_id: string;
  state: string;
  reason: string;
  error_msg: string;
  container_id: string;
  proxy_url: string;
}

/** What the host refused, in its own words. */
export class Refused extends SetupError {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The REST API, as far as the quickstart needs it. Paths begin with a slash. */
export class HostClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** The JSON of an answer; throws Refused, with the host's message and hint, where it is not 2xx. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const request: RequestInit = { method, signal: AbortSignal.timeout(30_000) };
    if (body !== undefined) {
      request.body = JSON.stringify(body);
      request.headers = { 'content-type': 'application/json' };
    }
    const response = await fetch(`${this.url}${path}`, request);
    const text = await response.text();
    if (!response.ok) throw refusal(method, path, response.status, text);
    return JSON.parse(text) as T;
  }

  /** Lines of a plain-text stream as they come, until it ends or the signal fires. Never throws. */
  async lines(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    try {
      const response = await fetch(`${this.url}${path}`, { signal });
      if (!response.ok || !response.body) return;
      const decoder = new TextDecoder();
      let rest = '';
      for await (const piece of response.body) {
        const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onLine(line.trimEnd());
      }
      if (rest.trim()) onLine(rest.trimEnd());
    } catch {
      // The stream is for a person's eyes; what counts is the state, which is asked for separately.
    }
  }
}

function refusal(method: string, path: string, status: number, text: string): Refused {
  let said = text.slice(0, 500);
  try {
    const { message, hint } = JSON.parse(text) as { message?: string; hint?: string };
    if (message) said = hint ? `${message}\n${hint}` : message;
  } catch {
    // Not ours, or cut short: shown as it is.
  }
  return new Refused(status, `${method} ${path} answered ${status}: ${said}`);
}
