import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Where a forge tells of a push. */
export const GIT_HOOK_PATH = '/hooks/git';

/** GitHub's form, which Gitea sends too; Gitea's own; both of the body's bytes. */
const SIGNATURES = [
  ['x-hub-signature-256', /^sha256=([0-9a-f]{64})$/i],
  ['x-gitea-signature', /^([0-9a-f]{64})$/i],
] as const;
/** GitLab's: the secret itself. */
const TOKEN = 'x-gitlab-token';

/** Whether a request comes from who knows the secret. */
export interface HookProof {
  /** Whether it says so at all; otherwise nothing of it need be read. */
  isClaimed: boolean;
  /** The body, piece by piece. */
  take(chunk: Uint8Array): void;
  /** Whether it holds, when all of the body was taken. How long that takes tells nothing of the secret. */
  holds(): boolean;
}

/** @param header of the request; undefined where it has none of that name */
export function createHookProof(secret: string, header: (name: string) => string | undefined): HookProof {
  const hmac = createHmac('sha256', secret);
  const claimed = SIGNATURES.flatMap(([name, form]) => {
    const hex = form.exec(header(name) ?? '')?.[1];
    return hex === undefined ? [] : [Buffer.from(hex, 'hex')];
  });
  const token = header(TOKEN);
  return {
    isClaimed: claimed.length > 0 || token !== undefined,
    take: (chunk) => void hmac.update(chunk),
    holds() {
      const digest = hmac.digest();
      const isSigned = claimed.some((one) => timingSafeEqual(one, digest));
      return isSigned || (token !== undefined && isSame(Buffer.from(token, 'latin1'), Buffer.from(secret)));
    },
  };
}

/** Compared by digests of one length, under a key that nobody knows. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  const key = randomBytes(32);
  const digest = (bytes: Uint8Array) => createHmac('sha256', key).update(bytes).digest();
  return timingSafeEqual(digest(one), digest(other));
}
