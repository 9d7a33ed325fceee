import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { codeOf } from '../../schemas/errors.ts';

/** How a listener is reached from elsewhere. */
export interface Tls {
  cert: string | Buffer;
  key: string | Buffer;
}

/** What makes it safe to be reached from other machines. */
export interface Reach {
  hasTokens: boolean;
  /** A certificate of its own, or the word of whoever runs it that a proxy has one. */
  hasTls: boolean;
}

/** Without tokens nobody but this machine may come in (contract 3.6), and from others none may be read on its way. */
export async function requireSafeAddress(host: string, { hasTokens, hasTls }: Reach): Promise<void> {
  if (hasTokens && hasTls) return;
  const addresses =
    isIP(host) === 0
      ? (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address)
      : [host];
  if (addresses.length > 0 && addresses.every(isLoopback)) return;
  const lacks = hasTokens ? 'TLS' : 'tokens';
  throw new Error(
    `the API does not listen on ${host}: without ${lacks} only loopback addresses are allowed. Give it --tokens FILE, ` +
      'and --tls-cert and --tls-key, or --tls-by-proxy where a proxy does that; or use --host 127.0.0.1, and ssh -L to reach it from elsewhere.',
  );
}

/** The name under which clients ask for that address; undefined for all addresses, and for none of its own. */
export function hostNameOf(host: string): string | undefined {
  if (host === '0.0.0.0' || host === '::') return undefined;
  return isIP(host) === 6 ? `[${host}]` : host;
}

function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** Rejects with words for people. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(cause, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenError(cause: Error, host: string, port: number): Error {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return new Error(
        `port ${port} on ${host} is taken, perhaps by another Hersh Host; stop that one, or choose another port with --port`,
        { cause },
      );
    case 'EACCES':
      return new Error(`port ${port} needs privileges; choose one above 1023 with --port`, { cause });
    default:
      return new Error(`can not listen on ${host}:${port}: ${cause.message}`, { cause });
  }
}
