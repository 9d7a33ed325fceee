/** What each route asks of who calls it. A route that is missing here is the administrator's alone. */

import { decodeOnce } from '../../schemas/decode-once.ts';

/**
 * - `open`: nobody is asked; it tells of no program, or proves otherwise who calls
 * - `known`: any token; what it tells of programs is what that one may see
 * - `read`, `change`: of one program
 * - `put`: the same as `change`, or a program to come
 * - `create`: a program of one's own
 * - `host-read`, `host-change`: of the machine, and of everybody's programs at once
 * - `proxy-read`, `proxy`: what a program itself serves
 */
export type Right =
  | 'open'
  | 'known'
  | 'read'
  | 'change'
  | 'put'
  | 'create'
  | 'host-read'
  | 'host-change'
  | 'proxy-read'
  | 'proxy';

/** By method and path, as `schemas/openapi.yaml` writes them; HEAD goes with GET. */
export const RIGHTS = {
  'GET /programs': 'known',
  'POST /programs': 'create',
  'GET /programs/{id}': 'read',
  'DELETE /programs/{id}': 'change',
  'POST /programs/{id}/start': 'change',
  'POST /programs/{id}/stop': 'change',
  'POST /programs/{id}/restart': 'change',
  'POST /programs/{id}/pause': 'change',
  'POST /programs/{id}/resume': 'change',
  // All that it keeps: whoever only looks gets figures, not data.
  'GET /programs/{id}/state': 'change',
  'PUT /programs/{id}/state': 'change',
  'POST /programs/{id}/pull': 'change',
  'POST /programs/{id}/exec': 'change',
  'GET /programs/{id}/revisions': 'read',
  'GET /programs/{id}/revisions/{revision}/files': 'read',
  'POST /programs/{id}/rollback': 'change',
  'GET /programs/{id}/logs': 'read',
  'GET /programs/{id}/build-log': 'read',
  'GET /programs/{id}/builds': 'read',
  'PUT /programs/{id}/sources': 'change',
  'GET /programs/{id}/source': 'read',
  'GET /programs/{id}/events': 'read',
  'GET /programs/{id}/usage': 'read',
  'GET /programs/{id}/sandbox': 'read',
  'GET /programs/{id}/manifest': 'read',
  'PUT /programs/{id}/manifest': 'put',
  'GET /programs/{id}/proxy/{path}': 'proxy-read',
  'POST /programs/{id}/proxy/{path}': 'proxy',
  'PUT /programs/{id}/proxy/{path}': 'proxy',
  'PATCH /programs/{id}/proxy/{path}': 'proxy',
  'DELETE /programs/{id}/proxy/{path}': 'proxy',
  'GET /host': 'host-read',
  'POST /host/pause': 'host-change',
  'POST /host/resume': 'host-change',
  'POST /registry/prune': 'host-change',
  // It only reads the text that comes with it.
  'POST /validate': 'known',
  'GET /events': 'known',
  'GET /usage': 'known',
  'GET /metrics': 'host-read',
  // Its warnings name programs.
  'GET /readyz': 'host-read',
  'GET /healthz': 'open',
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /docs/style.css': 'open',
  'GET /': 'open',
  'GET /ui': 'open',
  'GET /ui/{path}': 'open',
  // What comes with it says who it is for.
  'POST /session': 'open',
  'DELETE /session': 'open',
  'GET /session': 'known',
  // It proves by a secret of its own who calls.
  'POST /hooks/git': 'open',
} as const satisfies Record<string, Right>;

export type RouteName = keyof typeof RIGHTS;

/** A route that a request means. */
export interface MeantRoute {
  /** Undefined for one that is not in the table. */
  name: RouteName | undefined;
  /** The program it is about, `""` for none; perhaps no name that a program can have. */
  program: string;
}

/** Names by method and number of parts, with their parts: there are few of each. */
const BY_SHAPE = new Map<string, [name: RouteName, parts: string[]][]>();
for (const name of Object.keys(RIGHTS) as RouteName[]) {
  const [method = '', path = ''] = name.split(' ');
  const parts = path.slice(1).split('/');
  const shape = shapeOf(method, parts);
  BY_SHAPE.set(shape, [...(BY_SHAPE.get(shape) ?? []), [name, parts]]);
}

const PAGE_PATH = /^\/ui\/[A-Za-z0-9._/-]*$/;

/**
 * The route of a path that came as it is written here: whoever reads it otherwise (dots that lead up) must not be asked.
 * @param path without a query
 */
export function routeOf(method: string, path: string): MeantRoute {
  const asked = method === 'HEAD' ? 'GET' : method;
  if (asked === 'GET' && PAGE_PATH.test(path)) return { name: 'GET /ui/{path}', program: '' };
  const parts = path
    .slice(1)
    .replace(/(?<=.)\/$/, '')
    .split('/');
  for (const [name, wanted] of BY_SHAPE.get(shapeOf(asked, parts)) ?? []) {
    if (!wanted.every((part, at) => (part.startsWith('{') ? parts[at] !== '' : part === parts[at]))) continue;
    return { name, program: wanted[1] === '{id}' ? decodeOnce(parts[1] ?? '') : '' };
  }
  return { name: undefined, program: '' };
}

/** The route of what goes to a program, which may take any method. */
export function proxyRouteOf(method: string): RouteName {
  const name = `${method === 'HEAD' ? 'GET' : method} /programs/{id}/proxy/{path}`;
  return Object.hasOwn(RIGHTS, name) ? (name as RouteName) : 'POST /programs/{id}/proxy/{path}';
}

function shapeOf(method: string, parts: readonly string[]): string {
  return `${method} ${parts.length}`;
}
