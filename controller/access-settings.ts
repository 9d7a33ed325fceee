import { readFileSync } from 'node:fs';
import { codeOf } from '../schemas/errors.ts';
import { PROXY_POLICIES, type ProxyPolicy } from '../schemas/token.ts';
import { type Given, type Option, refuse } from './option.ts';
import { oneOf } from './setting-values.ts';

/** Who may ask, and how they come. */
export interface AccessSettings {
  /** Absolute path; undefined: nobody is asked. */
  readonly tokens: string | undefined;
  readonly proxyAccess: ProxyPolicy;
  /** Absolute paths; undefined: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly tlsByProxy: boolean;
}

export const ACCESS_OPTIONS = {
  tokens: {
    env: 'HERSH_TOKENS',
    value: 'FILE',
    fallback: '',
    help: 'who may ask: hershctl token create makes it; without one, all who reach the API',
  },
  'proxy-access': {
    env: 'HERSH_PROXY_ACCESS',
    value: PROXY_POLICIES.join('|'),
    fallback: 'token',
    help: 'with --tokens, who is given what programs serve through the proxy, where spec.proxyAccess says nothing; always-token: whatever it says',
  },
  'tls-cert': {
    env: 'HERSH_TLS_CERT',
    value: 'FILE',
    fallback: '',
    help: 'certificate of the API, and those that vouch for it, as PEM; a new one is taken up',
  },
  'tls-key': { env: 'HERSH_TLS_KEY', value: 'FILE', fallback: '', help: 'its key, as PEM' },
  'tls-by-proxy': {
    env: 'HERSH_TLS_BY_PROXY',
    value: '',
    fallback: '',
    help: 'a proxy in front speaks TLS, and nobody else reaches this',
    isWord: true,
  },
} as const satisfies Record<string, Option>;

/**
 * @param pathOf makes a path absolute
 * @throws AppError `BadRequest` that names the option and what it takes
 */
export function readAccessSettings(
  read: (name: keyof typeof ACCESS_OPTIONS) => Given,
  pathOf: (text: string) => string,
  outside: (given: Given) => string,
): AccessSettings {
  const tokens = read('tokens');
  const [cert, key] = [read('tls-cert'), read('tls-key')];
  if ((cert.text === '') !== (key.text === ''))
    throw refuse(cert.text === '' ? cert : key, 'a file: a certificate and its key go together');
  const word = read('tls-by-proxy');
  if (!['', 'true', '1', 'false', '0'].includes(word.text)) throw refuse(word, 'true or false');
  const tlsByProxy = ['true', '1'].includes(word.text);
  if (tlsByProxy && cert.text !== '') throw refuse(word, 'no --tls-cert beside it: one of both');
  return {
    tokens: tokens.text === '' ? undefined : outside(tokens),
    proxyAccess: oneOf(read('proxy-access'), PROXY_POLICIES) as ProxyPolicy,
    tls: cert.text === '' ? undefined : { cert: pathOf(cert.text), key: pathOf(key.text) },
    tlsByProxy,
  };
}

/** Throws `BadRequest` for one that can not be read. */
export function readTls({ cert, key }: { cert: string; key: string }): { cert: Buffer; key: Buffer } {
  const fileOf = (path: string, from: string) => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw refuse({ text: path, from }, `a file that can be read (${codeOf(error)})`);
    }
  };
  return { cert: fileOf(cert, '--tls-cert'), key: fileOf(key, '--tls-key') };
}
