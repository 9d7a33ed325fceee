import { messageOf } from '../../../schemas/errors.ts';
import { isRecord } from '../../../schemas/is-record.ts';
import { ApiError, type Client, createClient } from '../../client.ts';
import { CliError, EXIT } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import { type Address, parseAddress } from './address.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';

/** The host that a command is for. */
export interface Host {
  client: Client;
  /** Where it is asked; of one behind a tunnel, this end of it. */
  base: string;
  /** What was typed or is configured, for words. */
  server: string;
  isTunnel: boolean;
  /** An answer of any of its routes. Rejects `ApiError` where it is refused. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The body of a GET, as it is. */
  json<T = unknown>(path: string): Promise<T>;
  /** Why it can not be asked, beyond that it does not answer; undefined where that is all. */
  trouble(): CliError | undefined;
  /** Why the tunnel to it is no more; undefined where it stands, or there is none. */
  lostTunnel(): CliError | undefined;
  close(): void;
}

/** Opens the way to a host; nothing is asked yet, but for a tunnel. @param token sent with all that is asked */
export async function openHost(io: Io, server: string, token?: string): Promise<Host> {
  const address = parseAddress(server);
  if (token !== undefined && isReadOnItsWay(address)) throw inTheOpen(server);
  const tunnel = address.kind === 'ssh' ? await openTunnel(io, address) : undefined;
  const base = address.kind === 'http' ? address.base : (tunnel?.base ?? '');
  const { send, trouble } = watchedFetch(io, server, tunnel, token);
  const client = createClient({ base, fetch: send });

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await send(`${base}${path}`, init).catch((cause: unknown) => {
      if (init.signal?.aborted === true || io.signal.aborted) throw cause;
      throw new ApiError(0, 'the host does not answer');
    });
    if (!answer.ok && !path.includes('/proxy/')) throw await refusalOf(answer);
    return answer;
  }

  return {
    ...{ client, base, server, ask, trouble, isTunnel: tunnel !== undefined },
    json: async <T>(path: string) => (await (await ask(path)).json()) as T,
    lostTunnel: () => tunnel?.trouble(),
    close: () => tunnel?.close(),
  };
}

/** By whoever is on the way, beyond this machine. */
function isReadOnItsWay(address: Address): boolean {
  if (address.kind !== 'http') return false;
  const { protocol, hostname } = new URL(address.base);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/i.test(hostname);
}

function inTheOpen(server: string): CliError {
  return new CliError(
    EXIT.usage,
    `a token is not sent to ${server}: anybody on the way could read it`,
    'Use https://, or ssh://user@machine.',
  );
}

/** In the host's words, or what came in their place. */
export async function refusalOf(answer: Response): Promise<ApiError> {
  const text = await answer.text().catch(() => '');
  try {
    const body: unknown = JSON.parse(text);
    if (isRecord(body) && typeof body.message === 'string' && body.code === answer.status)
      return new ApiError(answer.status, body.message, body);
  } catch {
    // It is none of ours.
  }
  return new ApiError(answer.status, text.slice(0, 200) || answer.statusText);
}

/** Remembers what the client, which knows only that nothing answers, does not tell. */
function watchedFetch(io: Io, server: string, tunnel: Tunnel | undefined, token: string | undefined) {
  let trouble: CliError | undefined;
  const send: typeof fetch = async (input, init = {}) => {
    const isRead = (init.method ?? 'GET') === 'GET';
    // What changes something is not broken off in the middle: what came of it would not be known.
    const signal = isRead ? AbortSignal.any([io.signal, ...(init.signal ? [init.signal] : [])]) : init.signal;
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    const answer = await io
      .fetch(input, { ...init, headers, redirect: 'manual', signal: signal ?? null })
      .catch((error) => {
        trouble = tunnel?.trouble() ?? away(server, error);
        throw error;
      });
    trouble = String(input).includes('/proxy/') || isOurs(answer) ? undefined : stranger(server, answer);
    if (trouble === undefined) return answer;
    await answer.body?.cancel();
    throw trouble;
  };
  return { send, trouble: () => tunnel?.trouble() ?? trouble };
}

/** What a Hersh Host says itself is marked so, refusals included. */
function isOurs({ headers, status }: Response): boolean {
  const isMarked =
    headers.get('X-Content-Type-Options') === 'nosniff' && headers.get('Cache-Control') === 'no-store';
  const type = headers.get('Content-Type') ?? '';
  return isMarked && (status < 400 || type.startsWith('application/json'));
}

function stranger(server: string, { status, headers }: Response): CliError {
  const said = [String(status), headers.get('Server') ?? ''].filter((part) => part !== '').join(' ');
  return new CliError(
    EXIT.unreachable,
    `what answers at ${server} is no Hersh Host (it said ${said})`,
    'Look at --server, HERSH_SERVER and hershctl context list.',
  );
}

function away(server: string, error: unknown): CliError {
  const cause = error instanceof Error ? error.cause : undefined;
  const why = messageOf(cause ?? error) || 'no answer';
  return new CliError(
    EXIT.unreachable,
    `no host answers at ${server}: ${why}`,
    'Does it run? --server, HERSH_SERVER or a context says where it is.',
  );
}
