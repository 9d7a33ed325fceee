import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';
import type { Dispatcher } from 'undici';
import { LABELS, type ProgramState } from '../../schemas/program.ts';
import { removeHolds } from '../setup/holds.ts';
import { ensureTestImage, TEST_IMAGE } from '../setup/test-image.ts';
import { type Answer, type AskInit, ask } from './api-client.ts';
import { type HostChild, type LogLine, spawnHost } from './host-child.ts';
import { until } from './until.ts';

/** As `GET /programs/{id}` answers it. */
export interface Program {
  program_id: string;
  build_id: string;
  user_id: string;
  state: ProgramState;
  image_id: string;
  container_id: string;
  error_msg: string;
  proxy_url: string;
  created_at: string;
  updated_at: string;
  reason: string;
  restart_count: number;
  conditions: { type: string; status: string; reason: string; message: string }[];
  revision: number;
}

export interface ProgramEvent {
  time: string;
  type: string;
  reason: string;
  message: string;
  state: string;
  revision: number;
  author?: string;
}

/** A host of the test's own: real process, real engine, a registry in a temporary folder. */
export interface Host {
  readonly registry: string;
  readonly instance: string;
  readonly docker: Docker;
  /** In every Dockerfile of `writeContext`, so that nothing a run builds is ever found built. */
  readonly marker: string;
  start(options?: StartOptions): Promise<HostChild>;
  child(): HostChild;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Lines of all runs so far. */
  log(): LogLine[];

  /** One request to the API; paths begin with a slash. */
  call(method: string, path: string, body?: unknown, init?: AskInit): Promise<Answer>;
  get(name: string): Promise<Program>;
  events(name: string): Promise<ProgramEvent[]>;
  /** Polls `GET` until the program is as wanted, and gives it. */
  untilProgram(name: string, what: string, is: (program: Program) => boolean): Promise<Program>;
  untilState(name: string, state: ProgramState): Promise<Program>;
  /** In `Error` for that reason. */
  untilError(name: string, reason: string): Promise<Program>;
  /** Waits for the 404 and for the last engine object and ledger to be gone. */
  untilGone(name: string): Promise<void>;
  /** Straight to the port the program is published on. */
  direct(program: Pick<Program, 'proxy_url'>, path: string, init?: AskInit): Promise<Answer>;

  path(...parts: string[]): string;
  /** Writes a manifest as a person would: the file itself, in place. `spec` has the defaults of `SPEC`. */
  writeManifest(name: string, spec?: Record<string, unknown>): Promise<void>;
  writeFile(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** A context at `sources/<folder>` whose image is the test server with these lines on top. */
  writeContext(folder: string, lines?: string): Promise<string>;
  /** Ids of this instance's containers, of one program where it is named. */
  containers(name?: string): Promise<Docker.ContainerInfo[]>;
  volumes(): Promise<string[]>;
  /** Every file of the registry, by path; what tests compare before and after. */
  files(...below: string[]): Promise<string[]>;
  /** Ends the host and removes everything the run made, whatever state it is in. */
  close(): Promise<void>;
}

export interface StartOptions {
  args?: readonly string[];
  env?: Record<string, string>;
  /** Wait for /readyz, not only for the API. Default true. */
  ready?: boolean;
}

/** Serves at once and obeys at once: what tests of other things start from. */
export const SPEC = {
  userId: 'e2e',
  image: TEST_IMAGE,
  stopGracePeriodSeconds: 1,
  readiness: { path: '/watcher/status', periodSeconds: 0.2 },
};

/** Where a host runs: which engine it has, and on which network. */
export interface Place {
  docker: Docker;
  /** Of the host, beside what `start` is given. */
  env: Record<string, string>;
  /** Before the command that starts the host. */
  inside: readonly string[];
  /** For requests to it and to its programs. */
  dispatcher?: Dispatcher;
}

/**
 * @param ports the port range of the file's own, within 29500–29899
 * @param place the engine and network of this machine, where none is named
 */
export async function createHost(
  ports: string,
  place: Place = { docker: new Docker(), env: {}, inside: [] },
): Promise<Host> {
  const { docker, dispatcher } = place;
  await docker.ping();
  await ensureTestImage(() => {}, docker);
  const id = randomBytes(4).toString('hex');
  const instance = `e2e-${id}`;
  const registry = mkdtempSync(join(tmpdir(), `${instance}-`));
  const runs: HostChild[] = [];
  let url = '';

  const child = (): HostChild => {
    const last = runs.at(-1);
    if (last === undefined) throw new Error('the host was never started');
    return last;
  };
  const log = () => runs.flatMap((run) => run.log());
  const path = (...parts: string[]) => join(registry, ...parts);
  const by = dispatcher === undefined ? {} : { dispatcher };
  const call: Host['call'] = (method, to, body, init = {}) =>
    ask(`${url}${to}`, { ...by, ...init, method, body });

  const host: Host = {
    ...{ registry, instance, docker, marker: id, child, log, path, call },
    async start({ args = [], env = {}, ready = true } = {}) {
      const flags = ['--registry', registry, '--instance', instance, '--port', '0', '--port-range', ports];
      const run = spawnHost([...flags, ...args], { ...place.env, ...env }, place.inside);
      runs.push(run);
      url = await run.url();
      if (ready)
        await until('the host is ready', async () => (await call('GET', '/readyz')).status === 200, tell);
      return run;
    },
    stop() {
      child().signal('SIGTERM');
      return child().ended;
    },
    async kill() {
      child().signal('SIGKILL');
      await child().ended;
    },
    async get(name) {
      const { status, json } = await call('GET', `/programs/${name}`);
      if (status !== 200) throw new Error(`GET ${name} answered ${status}: ${JSON.stringify(json)}`);
      return json as Program;
    },
    async events(name) {
      return (await call('GET', `/programs/${name}/events`)).json.events as ProgramEvent[];
    },
    untilProgram: (name, what, is) =>
      until(
        `${name} ${what}`,
        async () => {
          // A manifest written by hand is not known at once.
          const { status, json } = await call('GET', `/programs/${name}`);
          return status === 200 && is(json) ? (json as Program) : undefined;
        },
        async () => `${(await call('GET', `/programs/${name}`)).text}\n${await tell()}`,
      ),
    untilState: (name, state) => host.untilProgram(name, `is ${state}`, (program) => program.state === state),
    untilError: (name, reason) =>
      host.untilProgram(
        name,
        `is in Error by ${reason}`,
        (program) => program.state === 'Error' && program.reason === reason,
      ),
    async untilGone(name) {
      const gone = async () =>
        (await call('GET', `/programs/${name}`)).status === 404 &&
        (await host.containers(name)).length === 0 &&
        !existsSync(path('status', `${name}.yaml`));
      await until(`${name} is gone`, gone, tell);
    },
    direct: (program, to, init) =>
      ask(`${program.proxy_url.replace('localhost', '127.0.0.1')}${to}`, { ...by, ...init }),
    async writeFile(to, content, mode = 0o644) {
      await mkdir(dirname(path(to)), { recursive: true });
      await writeFile(path(to), content, { mode });
    },
    writeManifest: (name, spec = {}) => host.writeFile(`programs/${name}.yaml`, manifestText(name, spec)),
    async writeContext(folder, lines = '') {
      await host.writeFile(`sources/${folder}/Dockerfile`, `FROM ${TEST_IMAGE}\nLABEL run=${id}\n${lines}\n`);
      return `sources/${folder}`;
    },
    containers: (name) => {
      const label = [
        `${LABELS.instance}=${instance}`,
        ...(name === undefined ? [] : [`${LABELS.program}=${name}`]),
      ];
      return docker.listContainers({ all: true, filters: { label } });
    },
    async volumes() {
      const { Volumes } = await docker.listVolumes({
        filters: { label: [`${LABELS.instance}=${instance}`] },
      });
      return (Volumes ?? []).map(({ Name }) => Name);
    },
    async files(...below) {
      const found = await Promise.all(
        below.map(async (folder) =>
          (await readdir(path(folder), { recursive: true })).map((name) => `${folder}/${name}`),
        ),
      );
      return found.flat().sort();
    },
    async close() {
      const last = runs.at(-1);
      if (last !== undefined && !last.hasEnded()) await host.kill();
      await removeEngineObjects(docker, instance);
      await removeHolds(docker, [instance]);
      await removeImages(docker, registry);
      rmSync(registry, { recursive: true, force: true });
    },
  };

  function tell(): string {
    const lines = log().slice(-25);
    return `The end of the host's log:\n${lines.map((line) => JSON.stringify(line)).join('\n')}`;
  }
  return host;
}

/** JSON is YAML: the spec stands as a flow mapping. */
export function manifestText(name: string, spec: Record<string, unknown> = {}): string {
  const { image, ...rest } = SPEC;
  const whole = 'build' in spec || 'image' in spec ? { ...rest, ...spec } : { ...rest, image, ...spec };
  return [
    'apiVersion: hersh.dev/v1',
    'kind: Program',
    `metadata: {name: ${name}}`,
    `spec: ${JSON.stringify(whole)}`,
    '',
  ].join('\n');
}

/** What the engine was making when its host ended may come while all is removed: then once more. */
async function removeEngineObjects(docker: Docker, instance: string): Promise<void> {
  await removeOnce(docker, instance).catch(() => removeOnce(docker, instance));
}

/** Containers first: they hold the rest. */
async function removeOnce(docker: Docker, instance: string): Promise<void> {
  const filters = { label: [`${LABELS.instance}=${instance}`] };
  const sandboxes = { label: [`${LABELS.sandboxInstance}=${instance}`] };
  const found = [filters, sandboxes].map((each) => docker.listContainers({ all: true, filters: each }));
  for (const { Id } of (await Promise.all(found)).flat()) {
    await docker.getContainer(Id).remove({ force: true, v: true }).catch(ignoreGone);
  }
  for (const { Name } of (await docker.listVolumes({ filters })).Volumes ?? []) {
    await docker.getVolume(Name).remove().catch(ignoreGone);
  }
  for (const { Id } of await docker.listNetworks({ filters })) {
    await docker.getNetwork(Id).remove().catch(ignoreGone);
  }
}

/** The images of this registry's builds: every one holds the run's marker, so nobody else's is among them. */
async function removeImages(docker: Docker, registry: string): Promise<void> {
  const logs = join(registry, 'data', 'builds');
  for (const file of existsSync(logs) ? readdirSync(logs) : []) {
    const reference = [`hersh/${file.replace(/\.log$/, '')}`];
    for (const { RepoTags } of await docker.listImages({ filters: { reference } }))
      for (const tag of RepoTags ?? []) await docker.getImage(tag).remove({ force: true }).catch(ignoreGone);
  }
}

function ignoreGone(error: unknown): void {
  if ((error as { statusCode?: number }).statusCode !== 404) throw error;
}
