/** The room of access: the tokens that there are now, as their file says it. */

import type { AccessSource } from '../../api/deps.ts';
import { statKeyNow } from '../../registry/files/settle.ts';
import { readTokensFile } from '../../registry/tokens/tokens-file.ts';
import type { Clock } from '../../schemas/clock.ts';
import { messageOf, withHint } from '../../schemas/errors.ts';
import type { HostWarning } from '../../schemas/host-view.ts';
import { hasEnded, type ProxyPolicy, type StoredToken } from '../../schemas/token.ts';
import type { ControllerLog } from '../log.ts';

/** Whoever is told that a token is taken away may rely on it. */
const LOOK_MS = 1_000;

export interface Tokens extends AccessSource {
  /** Why what the file says now is not what counts. */
  warnings(): HostWarning[];
  close(): void;
}

export interface TokensOptions {
  file: string;
  proxyPolicy: ProxyPolicy;
  isSecure: boolean;
  clock: Clock;
  log: Pick<ControllerLog, 'info' | 'warn'>;
  /** Default: as it lies there. */
  read?: typeof readTokensFile;
}

/**
 * Reads the file, and again whenever it has changed; where that does not work the tokens stay as they were. Rejects
 * `BadRequest` where it can not be read at first.
 */
export async function openTokens(options: TokensOptions): Promise<Tokens> {
  const { file, proxyPolicy, isSecure, clock, log, read = readTokensFile } = options;
  const listeners: (() => void)[] = [];
  const first = await read(file);
  let byId = new Map(first.tokens.map((token) => [token.id, token]));
  /** Of the file that counts. */
  let seen = first.key;
  let trouble = '';
  let ended = endedOf(byId, clock.now());
  let isClosed = false;
  let cancel = clock.after(LOOK_MS, look);
  log.info({ file, tokens: byId.size }, 'tokens are asked for');

  /** Looks, and again in a while; a change that comes while one is read is seen by the next look. */
  function look(): void {
    // What went wrong may pass without a change of the file.
    const isSame = trouble === '' && statKeyNow(file) === seen;
    const reading = isSame ? Promise.resolve() : readAgain();
    void reading.then(() => {
      tellOfEnded();
      if (!isClosed) cancel = clock.after(LOOK_MS, look);
    });
  }

  async function readAgain(): Promise<void> {
    try {
      const { tokens, key } = await read(file);
      byId = new Map(tokens.map((token) => [token.id, token]));
      seen = key;
      trouble = '';
      log.info({ file, tokens: byId.size }, 'the tokens have changed');
      tell();
    } catch (error) {
      const words = withHint(error);
      if (words !== trouble)
        log.warn(
          { file, error: messageOf(error) },
          'the tokens file can not be used; the tokens before go on',
        );
      trouble = words;
    }
  }

  function tellOfEnded(): void {
    const now = endedOf(byId, clock.now());
    if (now > ended) tell();
    ended = now;
  }

  function tell(): void {
    for (const listener of listeners) listener();
  }

  return {
    ...{ proxyPolicy, isSecure },
    token: (id) => byId.get(id),
    onChange: (listener) => void listeners.push(listener),
    after: clock.after,
    warnings: () => (trouble === '' ? [] : [warningOf(trouble)]),
    close() {
      isClosed = true;
      cancel();
    },
  };
}

function endedOf(tokens: ReadonlyMap<string, StoredToken>, nowMs: number): number {
  return [...tokens.values()].filter((token) => hasEnded(token, nowMs)).length;
}

function warningOf(trouble: string): HostWarning {
  const message = `tokens are as they were before the last change of their file: ${trouble}`;
  return { code: 'TokensNotRead', message, names: [], confirm: '' };
}
