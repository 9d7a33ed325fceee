import type { AccessSource } from '../../../api/deps.ts';
import { newToken, type TokenWish } from '../../../registry/tokens/new-token.ts';
import type { ProxyPolicy, StoredToken } from '../../../schemas/token.ts';
import { createManualClock, type ManualClock } from '../../sim/manual-clock.ts';
import { CREATED_AT } from '../fake-view.ts';

export interface FakeAccess extends AccessSource {
  /** Makes a token; gives it, and what is kept of it. */
  make(wish: Omit<TokenWish, 'name'>): { token: string; stored: StoredToken };
  revoke(id: string): void;
  /** Only turned by hand. */
  clock: ManualClock;
}

/** Tokens in memory. */
export function fakeAccess(proxyPolicy: ProxyPolicy = 'token', isSecure = false): FakeAccess {
  const tokens = new Map<string, StoredToken>();
  const listeners: (() => void)[] = [];
  const clock = createManualClock();
  return {
    ...{ proxyPolicy, isSecure, clock, after: clock.after },
    token: (id) => tokens.get(id),
    onChange: (listener) => void listeners.push(listener),
    make(wish) {
      const made = newToken({ name: `the-${wish.role}`, ...wish }, Date.parse(CREATED_AT));
      tokens.set(made.stored.id, made.stored);
      return made;
    },
    revoke(id) {
      tokens.delete(id);
      for (const listener of listeners) listener();
    },
  };
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
