import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { PAGE, PAGE_DOORS, PAGE_LIBRARIES, PAGE_ROOMS, PAGE_TOOLS } from './page-rooms.ts';
import { ROOT } from './setup/host-settings.ts';
import { sourceFiles } from './source-files.ts';

/** Rooms, each with those it may import beside itself; a name without a slash is all rooms of that house. */
type Rooms = Record<string, string[]>;

/** Known by any room of the controller but the mind. */
const TOLD = ['controller/log.ts', 'controller/metrics.ts', 'controller/metrics'];

const UNDER_SERVE = ['schemas', 'registry', ...TOLD, 'controller'];

/** What the commands of `hershctl` are made with. */
const IN_CLI = [
  ...['api/cli/io', 'api/cli/output', 'api/cli/host', 'api/cli/tell.ts', 'api/cli/export'],
  ...['api/cli/sources', 'api/cli/manifests'],
];

/**
 * Who may know whom. A room is the files of one folder, without the folders in it; a file that is named is a door,
 * a room by itself. Every source file is in one: a new folder is a new line here.
 */
const ROOMS: Rooms = {
  schemas: [],

  ...floors(
    ['schemas'],
    ['registry/files'],
    // Not beside it: what is found at the paths of a registry is read and made with it.
    ['registry/paths.ts'],
    ['registry/index'],
    ['registry/records', 'registry/contexts'],
    ['registry/git'],
    ['registry/manifests'],
    ['registry/looks', 'registry/tokens'],
    ['registry/registry.ts'],
    // What the door is put together from.
    ['registry/commits.ts', 'registry/held-contexts.ts', 'registry/wishes.ts', 'registry/kept-index.ts'],
    ['registry/open-registry.ts', 'registry/make-registry.ts'],
  ),

  'controller/log-writer.ts': ['schemas'],
  'controller/stop-signals.ts': ['schemas'],
  'controller/tell-supervisor.ts': [],
  'controller/log.ts': ['schemas', 'controller/log-writer.ts'],
  'controller/metrics': ['schemas', 'registry'],
  'controller/metrics.ts': ['controller/metrics'],
  // The mind: what it is given and what it says are words of schemas/, or its own.
  'controller/program': ['schemas'],
  'controller/engine': ['schemas', ...TOLD],
  // As bytes, of which no engine knows.
  'controller/engine/docker/sandbox': [],
  'controller/engine/docker': ['schemas', ...TOLD, 'controller/engine', 'controller/engine/docker/sandbox'],
  // Pure: what a Dockerfile fetches, and who says whether it may.
  'controller/build-policy': ['schemas'],
  'controller/notify': ['schemas', 'registry', ...TOLD],
  'controller/usage': ['schemas', 'registry', ...TOLD, 'controller/engine'],
  ...floors(
    ['schemas', 'registry', ...TOLD, 'controller/engine', 'controller/program', 'controller/build-policy'],
    ['controller/credentials'],
    ['controller/ports', 'controller/images', 'controller/collect', 'controller/trace'],
    ['controller/loop'],
  ),
  'controller/state': ['schemas', 'controller/engine'],
  // What the API is given is said in its words.
  'controller/serve': [...UNDER_SERVE, 'api/deps.ts', 'api/program-answers.ts'],
  'controller/health.ts': [...UNDER_SERVE, 'api/deps.ts'],
  'controller/access-settings.ts': ['schemas', 'controller/option.ts', 'controller/setting-values.ts'],
  'controller/access': [
    ...['schemas', 'registry', ...TOLD],
    ...['controller/access-settings.ts', 'api/deps.ts'],
  ],
  'controller/locks.ts': ['schemas', 'registry', 'controller/config.ts'],
  'controller/init.ts': ['schemas', 'registry'],
  'controller/option.ts': ['schemas'],
  'controller/running-build.ts': [],
  'controller/hook-settings.ts': ['schemas', 'controller/option.ts', 'controller/notify'],
  'controller/build-settings.ts': [
    ...['controller/build-policy', 'controller/option.ts', 'controller/setting-values.ts'],
  ],
  // The range of ports is a setting, and so is the remote that git follows.
  'controller/setting-values.ts': ['schemas', 'controller/option.ts'],
  'controller/credential-settings.ts': ['schemas', 'controller/credentials', 'controller/option.ts'],
  'controller/config.ts': [
    ...['schemas', 'registry', 'controller/ports', 'controller/credentials'],
    ...['controller/credential-settings.ts', 'controller/setting-values.ts', 'controller/option.ts'],
    ...['controller/hook-settings.ts', 'controller/access-settings.ts'],
    ...['controller/build-policy', 'controller/build-settings.ts'],
  ],
  'controller/main.ts': ['schemas', 'registry', 'controller'],
  // What runs the one file that all become, and knows none of them.
  'controller/source-places.mjs': [],
  'controller/run-kept.mjs': ['controller/source-places.mjs'],
  'controller/start.mjs': ['controller/run-kept.mjs'],
  'controller/start-installed.mjs': ['controller/run-kept.mjs'],
  'packaging/one-file.ts': [],
  'packaging/keep.ts': ['packaging/one-file.ts'],
  'packaging/build.ts': ['packaging/one-file.ts'],
  'packaging/main.ts': [],
  'packaging/npm-pack.ts': [],
  'packaging/deb': ['packaging/npm-pack.ts'],
  'packaging/docker': ['packaging/npm-pack.ts'],

  ...floors(
    ['schemas', 'registry'],
    ['api/program-answers.ts'],
    ['api/deps.ts'],
    ['api/errors.ts'],
    ['api/access'],
    ['api/http'],
    ['api/docs'],
    // What files a POST may bring: whoever sends them asks it before.
    ['api/routes/source-names.ts'],
    ['api/proxy', 'api/routes'],
    // Of whoever asks a host: they know the words of its routes, and no route knows them.
    ['api/server-sent-events.ts'],
    ['api/client-streams.ts'],
    ['api/client.ts'],
    ['api/app.ts'],
    ['api/server.ts'],
  ),

  ...PAGE_TOOLS,
  ...PAGE_ROOMS,
  // A client as any other: of the host it knows the words, and the few rules that a folder or a manifest is read by.
  ...floors(
    ['schemas', 'api/client.ts', 'api/server-sent-events.ts'],
    ['api/cli/io'],
    ['api/cli/output', 'api/cli/host'],
    ['api/cli/tell.ts', 'api/cli/export'],
  ),
  'api/cli/sources': [
    'schemas',
    'registry/contexts',
    'registry/files',
    'api/routes/source-names.ts',
    'api/cli/io',
  ],
  'api/cli/manifests': ['schemas', 'registry/manifests', 'api/cli/io'],
  // Looks at what a host needs by the host's own rules, and starts none.
  'api/cli/doctor': [
    ...['schemas', 'registry/git', 'registry/paths.ts', 'registry/records', 'api/client.ts'],
    ...['controller/config.ts', 'controller/credentials', 'controller/engine/docker'],
    ...['api/cli/io', 'api/cli/host', 'api/cli/manifests'],
  ],
  'api/cli/commands': ['schemas', 'registry/tokens', 'api/client.ts', ...IN_CLI, 'api/cli/doctor'],
  'api/cli/program.ts': [...IN_CLI, 'api/cli/commands'],
  'api/cli/main.ts': [...IN_CLI, 'api/cli/commands', 'api/cli/program.ts'],
  'api/cli/bin.ts': ['api/cli/main.ts', 'api/cli/io'],
  // Registers what reads the sources, and then knows it.
  'api/cli/hershctl.mjs': ['api/cli/bin.ts'],
};

/** Where controller and API, which do not know each other, are put together: what these files may import as well. */
const COMPOSITION: Rooms = {
  'controller/main.ts': ['api'],
};

/** The rooms that may name a library; no other may, and a new one needs its line. */
const LIBRARY_HOMES: Record<string, string[]> = {
  ajv: ['schemas'],
  chokidar: ['registry/looks'],
  yaml: ['registry', 'api/cli/output', 'api/cli/host'],
  'tar-stream': [
    ...['registry/contexts', 'controller/engine/docker', 'controller/engine/docker/sandbox'],
    'controller/state',
  ],
  dockerode: ['controller/engine/docker'],
  protobufjs: ['controller/engine/docker'],
  '@grpc/grpc-js': ['controller/engine/docker'],
  pino: ['controller/log.ts'],
  'pino-pretty': ['controller/log.ts'],
  'prom-client': ['controller/metrics.ts', 'controller/metrics'],
  hono: ['api'],
  '@hono/node-server': ['api'],
  undici: ['api/proxy'],
  esbuild: ['packaging/one-file.ts', 'packaging/build.ts'],
  ...PAGE_LIBRARIES,
  tsx: ['controller/start.mjs', 'api/cli/hershctl.mjs'],
  commander: ['api/cli/program.ts', 'api/cli/commands', 'api/cli/tell.ts'],
  'cli-table3': ['api/cli/output'],
  ora: ['api/cli/output'],
  '@bomb.sh/tab': ['api/cli/commands'],
};

const MIND = 'controller/program';
const NODES_OWN = /\b(?:Buffer|process|global)\.|\b__(?:dir|file)name\b/;

interface Import {
  from: string;
  /** A path below the root, or the name of a module. */
  to: string;
  /** A file of ours, a module of Node, or a library. */
  kind: 'file' | 'node' | 'library';
  /** Nothing of it is there when the program runs. */
  isType: boolean;
}

/** How a file names another, as Biome lays it out: the last line of a statement, one without names, a call. */
const FORMS = [
  /^(?:import\s.*|export\s+(?:type\s+)?[{*].*|\})\s*\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\b(?:import|require|require\.resolve|createRequire\(.*\)\.resolve)\(\s*'([^']+)'/g,
];

const files = sourceFiles();
const all = files.flatMap(importsOf);

/** From the bottom up: each room may import what is `below`, and all rooms of the floors under its own. */
function floors(below: readonly string[], ...upwards: readonly (readonly string[])[]): Rooms {
  const rooms: Rooms = {};
  for (const floor of upwards) {
    const under = [...below, ...Object.keys(rooms)];
    for (const room of floor) rooms[room] = under;
  }
  return rooms;
}

/** Types count: who needs to know the words of another can not be understood without it. Styles do not. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = FORMS.flatMap((form) => [...text.matchAll(form)]);
  return found.flatMap(({ index, 1: name = '' }): Import[] => {
    // A statement of several lines was found by its last one.
    const start = Math.max(text.lastIndexOf('\nimport ', index), text.lastIndexOf('\nexport ', index)) + 1;
    const isType = /^(?:import|export) type\b/.test(text.slice(text[index] === '}' ? start : index));
    if (name.endsWith('.css')) return [];
    if (name.startsWith('.')) {
      return [{ from: file, to: normalize(join(dirname(file), name)), kind: 'file', isType }];
    }
    const isNode = name.startsWith('node:') || builtinModules.includes(name);
    return [{ from: file, to: name, kind: isNode ? 'node' : 'library', isType }];
  });
}

/** `undefined` where the table has none. Rooms of the page may have corners: folders that are no rooms. */
function roomOf(file: string): string | undefined {
  const places = [file, dirname(file), ...(file.startsWith(`${PAGE}/`) ? [dirname(dirname(file))] : [])];
  return places.find((room) => room in ROOMS);
}

/** Whether one of the names means the room: itself, or its house. */
function isAmong(names: readonly string[], room: string): boolean {
  const house = room.startsWith(`${PAGE}/`) ? PAGE : room.split('/')[0];
  return names.some((name) => name === room || name === house);
}

function isAllowed(from: string, to: string): boolean {
  const [home, target] = [roomOf(from), roomOf(to)];
  if (home === undefined || target === undefined) return false;
  return home === target || isAmong([...(ROOMS[home] ?? []), ...(COMPOSITION[from] ?? [])], target);
}

/** The shortest way from a file back to itself, beginning with its first name in the alphabet; `undefined`: none. */
function circleThrough(start: string, next: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const to of next.get(file) ?? []) {
      if (to === start) {
        const circle = [file];
        for (let at = file; at !== start; circle.unshift(at)) at = cameFrom.get(at) ?? start;
        const first = circle.indexOf([...circle].sort()[0] ?? '');
        return [...circle.slice(first), ...circle.slice(0, first)];
      }
      if (cameFrom.has(to)) continue;
      cameFrom.set(to, file);
      queue.push(to);
    }
  }
  return undefined;
}

function libraryOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

const show = ({ from, to }: Import) => `${from} → ${to}`;

test('there is something to check', () => {
  assert.ok(all.length > 500, `${all.length} imports found`);
});

test('every source file is in a room, and every line of the tables means something', () => {
  assert.deepEqual(
    files.filter((file) => roomOf(file) === undefined),
    [],
    'files in no room: give their folder its line in ROOMS',
  );
  const inUse = new Set(files.map(roomOf));
  const named = [...Object.values(ROOMS), ...Object.values(COMPOSITION), ...Object.values(LIBRARY_HOMES)];
  const isReal = (name: string) => [...inUse].some((room) => room !== undefined && isAmong([name], room));
  assert.deepEqual(
    [...new Set([...Object.keys(ROOMS), ...named.flat()])].filter((name) => !isReal(name)),
    [],
    'rooms that are not there',
  );
  const exceptions = Object.entries(COMPOSITION).flatMap(([from, names]) =>
    names.map((name) => ({ from, name })),
  );
  const isNeeded = ({ from, name }: { from: string; name: string }) =>
    all.some((one) => one.from === from && isAmong([name], roomOf(one.to) ?? ''));
  assert.deepEqual(
    exceptions.filter((exception) => !isNeeded(exception)),
    [],
    'exceptions that nobody needs',
  );
});

test('each room knows only those that the table names', () => {
  const wrong = all.filter(({ from, to, kind }) => kind === 'file' && !isAllowed(from, to));
  assert.deepEqual(wrong.map(show), []);
});

test('nobody knows the page, and of the host it has words in it, and what the table names', () => {
  const isOfPage = (path: string) => path.startsWith(`${PAGE}/`);
  const known = all.filter(({ from, to }) => isOfPage(to) && !isOfPage(from));
  assert.deepEqual(known.map(show), [], 'who knows the page');
  const taken = all.filter(({ from, to, kind, isType }) => {
    if (kind !== 'file' || isType || !isOfPage(from) || isOfPage(to)) return false;
    return roomOf(to) !== 'schemas' && !isAmong(PAGE_DOORS[to] ?? [], roomOf(from) ?? '');
  });
  assert.deepEqual(taken.map(show), [], 'values of the host: import their types');
});

test('browsers get nothing of Node, and no library but those of the page', () => {
  const served = new Set(files.filter((file) => (roomOf(file) ?? '') in PAGE_ROOMS));
  const wrong: Import[] = [];
  for (const file of served) {
    for (const one of all.filter(({ from, isType }) => from === file && !isType)) {
      if (one.kind === 'file') served.add(one.to);
      else if (!(libraryOf(one.to) in PAGE_LIBRARIES)) wrong.push(one);
    }
  }
  assert.deepEqual(wrong.map(show), []);
  // What has its name there without an import.
  const naming = [...served].filter((file) => NODES_OWN.test(readFileSync(join(ROOT, file), 'utf8')));
  assert.deepEqual(naming, []);
});

test('no file comes back to itself through its imports', () => {
  const next = new Map(
    files.map((file) => [file, all.filter(({ from }) => from === file).map(({ to }) => to)]),
  );
  const circles = files.flatMap((file) => {
    const circle = circleThrough(file, next);
    return circle === undefined ? [] : [[...circle, circle[0]].join(' → ')];
  });
  assert.deepEqual([...new Set(circles)], []);
});

test('each library is known in one place', () => {
  const wrong = all.filter(({ from, to, kind }) => {
    if (kind !== 'library') return false;
    return !isAmong(LIBRARY_HOMES[libraryOf(to)] ?? [], roomOf(from) ?? '');
  });
  assert.deepEqual(wrong.map(show), []);
});

test('the mind knows no library and nothing of Node', () => {
  const wrong = all.filter(({ from, kind }) => roomOf(from) === MIND && kind !== 'file');
  assert.ok(
    all.some(({ from }) => roomOf(from) === MIND),
    'it is looked at',
  );
  assert.deepEqual(wrong.map(show), []);
});
