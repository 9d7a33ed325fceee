import { AppError, messageOf } from '../../../schemas/errors.ts';
import type { Credentials, RegistryAuth } from '../engine.ts';

/** Docker's own registry, under the name that it has in references, and that it takes credentials for. */
const HUB = 'docker.io';
const HUB_ADDRESS = 'https://index.docker.io/v1/';

/** The registry that a reference names, with its port; `docker.io` where it names none. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  return rest.length > 0 && isHost ? first : HUB;
}

/** What `X-Registry-Auth` is made of. */
export function authConfigOf(auth: RegistryAuth, registry: string): Record<string, string> {
  const serveraddress = registry === HUB || registry === `index.${HUB}` ? HUB_ADDRESS : registry;
  if (auth.kind === 'identity') return { identitytoken: auth.token, serveraddress };
  return { username: auth.username, password: auth.password, serveraddress };
}

/**
 * What was given away of credentials, so that none of it comes back in words: a registry says what it likes. It is for
 * words of the registry and the engine alone: where others choose the words, what is masked tells them what is right.
 */
export interface Secrets {
  /** The same, noted. @param signal ends each look-up: nobody waits any more */
  noting(credentials: Credentials | undefined, signal?: AbortSignal): Credentials;
  mask(text: string): string;
  /**
   * The error without them: where any was given away also without its cause and stack, which hold what the engine said
   * as it came. @param hide in place of `mask`, where some of its words are not the engine's
   */
  maskedError(error: unknown, hide?: (text: string) => string): unknown;
}

export function createSecrets(): Secrets {
  const secrets = new Set<string>();
  const mask = (text: string) => {
    if (secrets.size === 0) return text;
    // The longest first, whosever it is, and all at once: one may be a part of another, or of what is put in its place.
    const words = [...secrets].sort((a, b) => b.length - a.length).map(literal);
    return text.replace(new RegExp(words.join('|'), 'g'), '(secret)');
  };
  return {
    mask,
    noting: (credentials, signal) => async (registry) => {
      const auth = await credentials?.(registry, signal);
      for (const secret of auth === undefined ? [] : formsOf(auth)) if (secret !== '') secrets.add(secret);
      return auth;
    },
    maskedError(error, hide = mask) {
      if (secrets.size === 0) return error;
      if (!(error instanceof AppError)) return new AppError('InternalError', hide(messageOf(error)));
      const { reason, message, hint } = error;
      return new AppError(reason, hide(message), { hint: hint === undefined ? hint : mask(hint) });
    },
  };
}

/** A text as a pattern that finds it alone. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** A secret as it goes over the wire. */
function formsOf(auth: RegistryAuth): string[] {
  if (auth.kind === 'identity') return [auth.token];
  const { username, password } = auth;
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return [basic, encodeURIComponent(password), password];
}
