import type { IncomingMessage, ServerResponse } from 'node:http';
import { NAME_PATTERN } from '../../schemas/program.ts';
import { whoSends } from '../access/who.ts';
import type { ApiDeps } from '../deps.ts';
import { answerFor, OWN_HEADERS } from '../errors.ts';
import { answerRaw } from '../http/raw-answer.ts';
import { answerList } from './kept-list.ts';
import type { ViewCache } from './view.ts';

const LIST = '/programs';
const JSON_TYPE = { 'Content-Type': 'application/json' };
const OWN = { ...OWN_HEADERS, ...JSON_TYPE };

/** Gives true where it answers. For a request without a body, which has passed the guard. */
export type PlainAnswers = (req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * What is asked for most (the list of all programs, and a program that is there) straight from what is kept, as the
 * routes would answer it: the way there is twice the work of the answer. All else is theirs, errors too.
 */
export function createPlainAnswers(deps: ApiDeps, views: ViewCache): PlainAnswers {
  return (req, res) => {
    const { method, url = '' } = req;
    if (method !== 'GET' || !url.startsWith(LIST)) return false;
    try {
      // The list of one user's is made by the route.
      if (url.length === LIST.length) return whoSends(req)?.role !== 'user' && sendList(req, res);
      if (url[LIST.length] !== '/') return false;
      const name = url.slice(LIST.length + 1);
      const view = NAME_PATTERN.test(name) ? deps.programs.get(name) : undefined;
      if (view === undefined) return false;
      return send(res, 200, OWN, views.one(view));
    } catch (error) {
      answerRaw(res, answerFor(error, deps.log, `GET ${url}`));
      return true;
    }
  };

  function sendList(req: IncomingMessage, res: ServerResponse): true {
    const { 'accept-encoding': coding, 'if-none-match': tags } = req.headers;
    const { status, headers: own, body } = answerList(views.list(), coding, tags);
    const before = res.getHeader('Vary');
    const named = before === undefined ? own : { ...own, Vary: `${before}, ${own.Vary}` };
    if (body === undefined) return send(res, status, named);
    const headers = { ...named, ...JSON_TYPE };
    if (!(body instanceof Promise)) return send(res, status, headers, body);
    body.then(
      (bytes) => send(res, status, headers, bytes),
      (error: unknown) => answerRaw(res, answerFor(error, deps.log, `GET ${LIST}`)),
    );
    return true;
  }
}

function send(res: ServerResponse, status: number, headers: Record<string, string>, body?: Buffer): true {
  if (body === undefined) res.writeHead(status, headers).end();
  else res.writeHead(status, { ...headers, 'Content-Length': body.byteLength }).end(body);
  return true;
}
