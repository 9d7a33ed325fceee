/** The room of access: who asks, and what they may. It stands in front of all routes and of the proxy. */

import type { IncomingMessage } from 'node:http';
import { NAME_PATTERN } from '../../schemas/program.ts';
import { SESSION_COOKIE_PREFIX, SESSION_HEADER } from '../../schemas/session-names.ts';
import { bearerIn, hasEnded, isForHost, proxyAccessOf, type Who, whoHas } from '../../schemas/token.ts';
import type { AccessSource, ApiDeps } from '../deps.ts';
import { answerOf, type ErrorAnswer, errorAnswer, programNotFound, unknownRoute } from '../errors.ts';
import { authorityOf } from './authority.ts';
import { createFailures } from './failures.ts';
import { createHeld, type Held } from './held.ts';
import { type MeantRoute, proxyRouteOf, routeOf } from './routes.ts';
import { createSessions } from './sessions.ts';
import { verifyToken } from './verify.ts';
import { noteWho } from './who.ts';

export interface Refusal {
  answer: ErrorAnswer;
  headers: Record<string, string>;
}

/** A browser that has shown a token. */
export interface SignedIn {
  who: Who;
  /** What the page sends in its header. */
  key: string;
  endsMs: number;
  setCookie: string;
}

export interface Proxied {
  /** Perhaps no name that a program can have. */
  name: string;
  /** What is said on it afterwards is read by nobody between. */
  isUpgrade: boolean;
}

/** Who sent a request that was let in, and what for. */
export interface Passed {
  who: Who;
  route: MeantRoute;
}

export interface Gate {
  /** Whether anybody is asked who they are. */
  isOn: boolean;
  /**
   * Why a request is refused, or undefined; then `whoSends` knows whose it is.
   * @param proxied the program that it goes to through the proxy
   */
  refuse(req: IncomingMessage, proxied: Proxied | undefined): Refusal | undefined;
  /**
   * Ends what was let in when it would not be any more: its token or session is gone, its program is another's, or is
   * not public now. @returns what lets go of it, when it is over
   */
  hold(req: IncomingMessage, end: () => void): () => void;
  /** Undefined for one that needs nobody's leave. */
  passed(req: IncomingMessage): Passed | undefined;
  signIn(req: IncomingMessage | undefined, token: string): SignedIn | Refusal;
  /** @returns the cookie that takes the place of the one there was */
  signOut(req: IncomingMessage | undefined): string;
}

type Deps = Pick<ApiDeps, 'access' | 'programs' | 'now' | 'log'>;

const SIGN_IN_HINT =
  'send Authorization: Bearer and a token; whoever runs the host makes one with hershctl token create';

const PLAIN_HINT =
  'URLs have this path in another form: write it without . and .. as parts, and encode what is no part of a URL';

/** Without tokens it lets everything pass. */
export function createGate(deps: Deps): Gate {
  return deps.access === undefined ? OPEN : new TokenGate(deps, deps.access);
}

const OPEN: Gate = {
  isOn: false,
  refuse: () => undefined,
  hold: () => () => {},
  passed: () => undefined,
  signIn: () => ({ answer: errorAnswer(409, 'this host asks nobody for a token'), headers: {} }),
  signOut: () => '',
};

/** What a request was let in by. */
interface Pass {
  who: Who;
  session: { id: string; key: string } | undefined;
}

class TokenGate implements Gate {
  readonly isOn = true;
  readonly #deps: Deps;
  readonly #access: AccessSource;
  readonly #failures = createFailures();
  readonly #sessions = createSessions();
  readonly #held: Held;
  readonly #passes = new WeakMap<IncomingMessage, Passed>();
  /** Whether what was let in would be now. */
  readonly #lasting = new WeakMap<IncomingMessage, () => boolean>();

  constructor(deps: Deps, access: AccessSource) {
    this.#deps = deps;
    this.#access = access;
    this.#held = createHeld(access.after);
    access.onChange(this.#held.look);
  }

  refuse(req: IncomingMessage, proxied: Proxied | undefined): Refusal | undefined {
    const path = pathOf(req.url ?? '');
    const isPlain = proxied !== undefined || isReadAsWritten(req.url ?? '', path);
    const route = proxied === undefined ? routeOf(methodOf(req), path) : proxyRoute(req, proxied);
    const judge = (who: Who | undefined) =>
      isPlain ? this.#judge(who, route, proxied !== undefined) : who === undefined ? 'unknown' : 'absent';
    // What is for everybody is given whatever else the request says: it may be meant for the program.
    if (judge(undefined) === 'allowed') {
      if (proxied !== undefined)
        this.#lasting.set(req, () => this.#isGone(route) || judge(undefined) === 'allowed');
      return undefined;
    }
    const pass = this.#passOf(req, proxied !== undefined);
    if (pass !== undefined && 'answer' in pass) return pass;
    switch (judge(pass?.who)) {
      case 'allowed':
        break;
      case 'unknown':
        return mustSignIn('a token is needed');
      case 'forbidden':
        return plain(
          errorAnswer(403, `the role ${pass?.who.role} may not do this`, { hint: roleHint(pass?.who) }),
        );
      case 'absent':
        if (!isPlain)
          return plain(errorAnswer(404, `no route ${methodOf(req)} ${path}`, { hint: PLAIN_HINT }));
        return plain(
          answerOf(route.program === '' ? unknownRoute(methodOf(req), path) : programNotFound(route.program)),
        );
    }
    if (pass === undefined) return undefined;
    noteWho(req, pass.who);
    this.#passes.set(req, { who: pass.who, route });
    this.#lasting.set(
      req,
      () => this.#isStill(pass) && (this.#isGone(route) || judge(pass.who) === 'allowed'),
    );
    return undefined;
  }

  hold(req: IncomingMessage, end: () => void): () => void {
    const mayGoOn = this.#lasting.get(req);
    return mayGoOn === undefined ? () => {} : this.#held.add(mayGoOn, end);
  }

  passed(req: IncomingMessage): Passed | undefined {
    return this.#passes.get(req);
  }

  signIn(req: IncomingMessage | undefined, token: string): SignedIn | Refusal {
    const who = this.#verified(req, token);
    if ('answer' in who) return who;
    const now = this.#deps.now();
    const { id, key, endsMs } = this.#sessions.open(who.id, now);
    // An older one may have had to go.
    this.#held.look();
    const lasts = Math.max(0, Math.floor((endsMs - now) / 1000));
    return { who, key, endsMs, setCookie: this.#cookie(req, id, lasts) };
  }

  signOut(req: IncomingMessage | undefined): string {
    const session = req && sessionIn(req);
    if (session !== undefined) this.#sessions.end(session.id, session.key);
    this.#held.look();
    return this.#cookie(req, '', 0);
  }

  #judge(who: Who | undefined, { name, program }: MeantRoute, isProxied: boolean) {
    const view = this.#viewOf(program);
    const isPublic =
      isProxied &&
      view !== undefined &&
      proxyAccessOf(this.#access.proxyPolicy, view.details.proxyAccess) === 'public';
    // What was deleted while it was paused is shown no more, and goes when whoever had it says so.
    const isLeft = view === undefined && name === 'POST /programs/{id}/resume' && NAME_PATTERN.test(program);
    const owner = isLeft ? this.#deps.programs.leftBy(program) : view?.owner;
    return authorityOf(who, name, owner, isPublic, view !== undefined);
  }

  #viewOf(program: string) {
    return NAME_PATTERN.test(program) ? this.#deps.programs.get(program) : undefined;
  }

  /** What goes on when its program is gone ends by itself; its removal for one. */
  #isGone({ program }: MeantRoute): boolean {
    return program !== '' && this.#viewOf(program) === undefined;
  }

  /** Undefined where a request says nothing of who sends it. */
  #passOf(req: IncomingMessage, isProxied: boolean): Pass | Refusal | undefined {
    const token = bearerIn(req.headers.authorization);
    const signedIn = token !== undefined && isForHost(token) ? undefined : this.#sessionPass(req);
    // What a program asks for of its clients is sent beside the session, or alone, and is no try to get in here.
    if (token === undefined || signedIn !== undefined || (isProxied && !isForHost(token))) return signedIn;
    const who = this.#verified(req, token);
    return 'answer' in who ? who : { who, session: undefined };
  }

  #sessionPass(req: IncomingMessage): Pass | undefined {
    const session = sessionIn(req);
    const now = this.#deps.now();
    const tokenId = session && this.#sessions.tokenOf(session.id, session.key, now);
    const stored = tokenId === undefined ? undefined : this.#access.token(tokenId);
    return stored === undefined || hasEnded(stored, now) ? undefined : { who: whoHas(stored), session };
  }

  /** Whoever knows a token is let in, however many others from the same address do not. */
  #verified(req: IncomingMessage | undefined, token: string): Who | Refusal {
    const now = this.#deps.now();
    const verified = verifyToken(token, (id) => this.#access.token(id), now);
    if (verified.who !== undefined) return verified.who;
    const address = req?.socket.remoteAddress ?? '';
    const { retryAfterSeconds, isFirst } = this.#failures.count(address, now);
    const { why, id } = verified;
    if (retryAfterSeconds === 0) {
      this.#deps.log.warn({ address, why, token: id }, 'a token is refused');
      return mustSignIn('the token is not valid');
    }
    if (isFirst)
      this.#deps.log.warn(
        { address, retryAfterSeconds },
        'tokens are refused, and no more told of this address',
      );
    const answer = errorAnswer(429, 'too many tokens from this address were not valid', {
      hint: `wait ${retryAfterSeconds} s, or send one that is`,
    });
    return { answer, headers: { 'Retry-After': String(retryAfterSeconds) } };
  }

  #isStill({ who, session }: Pass): boolean {
    const now = this.#deps.now();
    if (session !== undefined && this.#sessions.tokenOf(session.id, session.key, now) === undefined)
      return false;
    const stored = this.#access.token(who.id);
    if (stored === undefined || hasEnded(stored, now)) return false;
    return stored.role === who.role && (stored.userId ?? '') === who.userId;
  }

  #cookie(req: IncomingMessage | undefined, value: string, lastsSeconds: number): string {
    const secure = this.#access.isSecure ? '; Secure' : '';
    return `${cookieName(req)}=${value}; Path=/; Max-Age=${lastsSeconds}; HttpOnly; SameSite=Strict${secure}`;
  }
}

/** Whoever reads it otherwise (dots that lead up) would be led past what was judged and is written down. */
function isReadAsWritten(url: string, path: string): boolean {
  const full = `http://localhost${url}`;
  return URL.canParse(full) && new URL(full).pathname === path;
}

function proxyRoute(req: IncomingMessage, { name, isUpgrade }: Proxied): MeantRoute {
  return { name: proxyRouteOf(isUpgrade ? 'POST' : methodOf(req)), program: name };
}

const methodOf = ({ method = 'GET' }: IncomingMessage): string => method;
const pathOf = (url: string): string => url.replace(/[?#].*$/s, '');

/** Hosts on other ports of the machine share its cookies. */
function cookieName(req: IncomingMessage | undefined): string {
  return `${SESSION_COOKIE_PREFIX}_${req?.socket.localPort ?? 0}`;
}

/** The cookie alone says nothing: what is served on other ports of the machine gets it too. */
function sessionIn(req: IncomingMessage): { id: string; key: string } | undefined {
  const key = req.headers[SESSION_HEADER.toLowerCase()];
  if (typeof key !== 'string') return undefined;
  const name = cookieName(req);
  for (const part of (req.headers.cookie ?? '').split(';')) {
    const [left = '', id = ''] = part.trim().split('=');
    if (left === name && id !== '') return { id, key };
  }
  return undefined;
}

function mustSignIn(message: string): Refusal {
  const headers = { 'WWW-Authenticate': 'Bearer realm="hersh-host"' };
  return { answer: errorAnswer(401, message, { hint: SIGN_IN_HINT }), headers };
}

const plain = (answer: ErrorAnswer): Refusal => ({ answer, headers: {} });

function roleHint(who: Who | undefined): string {
  return who?.role === 'viewer'
    ? 'a token of this role may only look'
    : 'it concerns the whole host, and takes a token of the role admin';
}
