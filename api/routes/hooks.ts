import { AppError } from '../../schemas/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { StatusError } from '../errors.ts';
import { passBody } from '../http/body.ts';
import { createHookProof, GIT_HOOK_PATH } from '../http/hook-proof.ts';
import { type Routes, sendJson } from '../http/route.ts';

/** GitHub sends no more; nothing of it is kept, whoever sends it. */
const HOOK_BYTES_MAX = 25 * 2 ** 20;

/** What others tell the host. The routes are there only where a secret says who may. */
export function addHookRoutes(routes: Routes, { gitHook, log }: Pick<ApiDeps, 'gitHook' | 'log'>): void {
  if (gitHook === undefined) return;
  const { secret, lookAtRemote } = gitHook;
  routes.add(
    GIT_HOOK_PATH,
    {
      // What it says is not read: a look at the remote is all that it can bring about.
      async POST({ c }) {
        const proof = createHookProof(secret, (name) => c.req.header(name));
        if (proof.isClaimed) await passBody(c, HOOK_BYTES_MAX, proof.take);
        if (!proof.isClaimed || !proof.holds()) {
          log.debug(
            { claimed: proof.isClaimed },
            'a hook is refused: it does not prove that it knows the secret',
          );
          throw new StatusError(401, 'not authorized');
        }
        if (!lookAtRemote()) {
          throw new AppError('Conflict', 'this host follows no remote that could be looked at', {
            hint: 'start it with --git-remote, or take the hook away',
          });
        }
        return sendJson({ message: 'the remote is looked at' }, 202);
      },
    },
    // Forms as well, which GitHub sends by default: no page can forge the proof.
    { POST: { body: 'unread' } },
  );
}
