import { createSecureContext } from 'node:tls';
import type { AccessSource } from '../../api/deps.ts';
import { statKeyNow } from '../../registry/files/settle.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import type { HostWarning } from '../../schemas/host-view.ts';
import { type AccessSettings, readTls } from '../access-settings.ts';
import type { ControllerLog } from '../log.ts';
import { openTokens } from './tokens.ts';

const LOOK_MS = 10_000;

export interface CertAndKey {
  cert: Buffer;
  key: Buffer;
}

/** Who may ask, and by what nobody else reads it on its way. */
export interface Access {
  source: AccessSource | undefined;
  tls: CertAndKey | undefined;
  warnings(): HostWarning[];
  /** Calls with each certificate that comes after the first. */
  onRenewed(listener: (tls: CertAndKey) => void): void;
  close(): void;
}

/** Rejects `BadRequest`, in words for people, for a file that can not be used. */
export async function openAccess(
  { tokens: file, proxyAccess: proxyPolicy, tls: files, tlsByProxy }: AccessSettings,
  clock: Clock,
  log: Pick<ControllerLog, 'info' | 'warn'>,
): Promise<Access> {
  const tls = files && checked(readTls(files));
  const isSecure = files !== undefined || tlsByProxy;
  const tokens =
    file === undefined ? undefined : await openTokens({ file, proxyPolicy, isSecure, clock, log });
  const listeners: ((tls: CertAndKey) => void)[] = [];
  const renewal = files && watchPair(files);

  /** A pair is written one after the other: one that does not fit yet is read again at the next look. */
  function watchPair({ cert, key }: { cert: string; key: string }) {
    const keysNow = () => `${statKeyNow(cert)} ${statKeyNow(key)}`;
    let [used, failed] = [keysNow(), ''];
    let cancel = clock.after(LOOK_MS, look);
    function look(): void {
      const now = keysNow();
      if (now !== used) renew(now);
      cancel = clock.after(LOOK_MS, look);
    }
    function renew(now: string): void {
      try {
        const next = checked(readTls({ cert, key }));
        for (const listener of listeners) listener(next);
        used = now;
        log.info({ cert }, 'the certificate has changed');
      } catch (error) {
        if (failed !== now)
          log.warn({ error: messageOf(error) }, 'a new certificate can not be used; the one before goes on');
        failed = now;
      }
    }
    return { close: () => cancel() };
  }

  return {
    ...{ source: tokens, tls },
    warnings: () => tokens?.warnings() ?? [],
    onRenewed: (listener) => void listeners.push(listener),
    close() {
      tokens?.close();
      renewal?.close();
    },
  };
}

function checked(tls: CertAndKey): CertAndKey {
  try {
    createSecureContext(tls);
    return tls;
  } catch (error) {
    throw new AppError('BadRequest', `--tls-cert and --tls-key do not go together: ${messageOf(error)}`);
  }
}
