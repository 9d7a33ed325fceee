import { timestamp } from '../../schemas/program.ts';
import type { Who } from '../../schemas/token.ts';
import type { Gate } from '../access/gate.ts';
import { jsonObject, refuseUnknown } from '../http/json-body.ts';
import { type RouteContext, type Routes, sendError, sendJson, whoAsks } from '../http/route.ts';

const HINT = 'send {"token": "hersh_…"}';

/** Who asks, as the page shows it. */
export interface SessionBody {
  /** Whether this host asks for tokens at all. */
  tokens: boolean;
  /** Of the token. */
  name: string;
  role: Who['role'];
  user_id: string;
}

/** A browser that has signed in. */
export interface OpenedSessionBody extends SessionBody {
  /** What it sends as `X-Hersh-Session` with every request. */
  key: string;
  ends_at: string;
}

/** A browser trades a token for a cookie, which no script reads, and a key, which no other port of the machine gets. */
export function addSessionRoutes(routes: Routes, gate: Gate): void {
  routes.add('/session', {
    GET: ({ c }) => sendJson(bodyOf(whoAsks(c))),
    POST: (context) => signIn(context, gate),
    DELETE({ c }) {
      const cookie = gate.signOut(c.env?.incoming);
      return sendJson({ message: 'signed out' }, 200, cookie === '' ? {} : { 'Set-Cookie': cookie });
    },
  });
}

function signIn({ c, body }: RouteContext, gate: Gate): Response {
  const fields = jsonObject(body, HINT);
  refuseUnknown(fields, ['token'], HINT);
  const { token } = fields;
  const done = gate.signIn(c.env?.incoming, typeof token === 'string' ? token.trim() : '');
  if ('answer' in done) return sendError(done.answer, done.headers);
  const opened: OpenedSessionBody = { ...bodyOf(done.who), key: done.key, ends_at: timestamp(done.endsMs) };
  return sendJson(opened, 201, { 'Set-Cookie': done.setCookie });
}

/** Where nobody is asked, whoever gets here may do everything. */
function bodyOf(who: Who | undefined): SessionBody {
  const { name, role, userId }: Omit<Who, 'id'> = who ?? { name: '', role: 'admin', userId: '' };
  return { tokens: who !== undefined, name, role, user_id: userId };
}
