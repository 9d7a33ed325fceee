import { CliError, EXIT } from '../io/exit.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:9000';
/** Of a host at the other end of a tunnel, where none is said. */
const REMOTE_PORT = 9000;

/** Where a host is. */
export type Address =
  | { kind: 'http'; base: string }
  /** `port` of its ssh, 0 for what ssh itself takes; `apiPort` of the host on that machine. */
  | { kind: 'ssh'; destination: string; port: number; apiPort: number };

/** `http://…`, `localhost:9000`, `ssh://user@machine[:port][?port=9000]`. Throws `CliError`. */
export function parseAddress(text: string): Address {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === '') throw bad(text);
  if (url.protocol === 'http:' || url.protocol === 'https:')
    return { kind: 'http', base: full.replace(/\/+$/, '') };
  if (url.protocol !== 'ssh:' || url.password !== '' || (url.pathname !== '' && url.pathname !== '/'))
    throw bad(text);
  const user = decodeURIComponent(url.username);
  // ssh would take it for an option.
  if (/^-|[\s\0]/.test(user) || /^-/.test(url.hostname)) throw bad(text);
  const apiPort = Number(url.searchParams.get('port') ?? REMOTE_PORT);
  if (!Number.isInteger(apiPort) || apiPort < 1 || apiPort > 65_535) throw bad(text);
  const destination = user === '' ? url.hostname : `${user}@${url.hostname}`;
  return { kind: 'ssh', destination, port: Number(url.port), apiPort };
}

function bad(text: string): CliError {
  return new CliError(
    EXIT.usage,
    `${JSON.stringify(text)} is no address of a host`,
    'Write http://127.0.0.1:9000, or ssh://user@machine.',
  );
}
