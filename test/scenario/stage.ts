import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import type { ProgramState } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { createSimWorld, type SimContainer, type SimWorld } from '../sim/engine-world.ts';
import { createSimHost, type SimHost, type SimHostOptions } from '../sim/host.ts';
import { createManualClock, type ManualClock } from '../sim/manual-clock.ts';

export type Spec = Record<string, unknown>;

/** A folder, an engine and a clock on which hosts come and go. Everything ends with the test. */
export interface Stage {
  world: SimWorld;
  clock: ManualClock;
  root: string;
  /** The host that runs, or last ran. */
  readonly host: SimHost;
  /** Starts a host on the folder; the one before must have ended. */
  start(options?: Partial<SimHostOptions>): Promise<SimHost>;
  /** Writes a file of the registry as somebody with an editor does: nobody is told. */
  write(path: string, content: string): Promise<void>;
  /** Removes one likewise. */
  remove(path: string): Promise<void>;
  /** Writes sources and manifest of a program, through the registry. */
  create(name: string, spec?: Spec): Promise<void>;
  /** Fields of the spec, as the API edits them. */
  edit(name: string, fields: Record<string, string>): Promise<void>;
  /** Replaces the whole spec. */
  replace(name: string, spec: Spec): Promise<void>;
  status(name: string): ProgramStatus;
  /** Lets time pass until the program is in that state. */
  reach(name: string, state: ProgramState, limitMs?: number): Promise<ProgramStatus>;
  /** All containers of a program, oldest first. */
  containers(name: string): SimContainer[];
  /** The one that runs; fails unless it is exactly one. */
  running(name: string): SimContainer;
  /** `reason` of each event, oldest first. */
  reasons(name: string): Promise<string[]>;
}

/** No hints, which come when they come: files are found by looking, at times that are the same in every run. */
const unwatched = () => ({ refresh: async () => undefined, close: async () => undefined });

/** @param place an engine and a clock that another stage has too */
export async function createStage(
  test: TestContext,
  place: Partial<Pick<Stage, 'world' | 'clock'>> = {},
): Promise<Stage> {
  const { clock = createManualClock() } = place;
  const { world = createSimWorld(clock) } = place;
  const root = await mkdtemp(join(tmpdir(), 'hersh-controller-'));
  let current: SimHost | undefined;
  const host = (): SimHost => {
    if (current === undefined) throw new Error('no host was started on this stage');
    return current;
  };
  test.after(async () => {
    await current?.kill();
    await rm(root, { recursive: true, force: true });
  });

  const stage: Stage = {
    ...{ world, clock, root },
    get host() {
      return host();
    },
    async start(options = {}) {
      current = await createSimHost({ world, clock, root, watchFiles: unwatched, ...options });
      await current.advance(0);
      return current;
    },
    async write(path, content) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    },
    remove: (path) => rm(join(root, path), { recursive: true }),
    async create(name, spec = {}) {
      await stage.write(`sources/${name}/Dockerfile`, `FROM scratch\n# ${name}\n`);
      await host().registry.create(name, manifest(name, spec));
    },
    async edit(name, fields) {
      await host().programs.editSpec(name, fields);
    },
    async replace(name, spec) {
      const etag = host().programs.manifest(name)?.etag ?? '';
      await host().programs.putManifest(name, manifest(name, spec), etag);
    },
    status(name) {
      const status = host().registry.status.get(name);
      assert.ok(status, `there is no status of ${name}`);
      return status;
    },
    async reach(name, state, limitMs) {
      const is = () => host().registry.status.get(name)?.state === state;
      await host().until(`${name} is ${state}`, is, limitMs);
      return stage.status(name);
    },
    containers: (name) => [...world.containers.values()].filter(({ facts }) => facts.program === name),
    running(name) {
      const up = stage.containers(name).filter(({ facts }) => facts.state === 'running');
      assert.equal(up.length, 1, `${up.length} containers of ${name} run`);
      const [container] = up;
      assert.ok(container);
      return container;
    },
    async reasons(name) {
      return (await host().registry.events.list(name)).map(({ reason }) => reason);
    },
  };
  return stage;
}

/** A manifest of a program built from `sources/<name>`, unless the spec says otherwise. */
export function manifest(name: string, spec: Spec = {}): string {
  const source = spec.image === undefined ? { build: { context: `sources/${name}` } } : {};
  return stringify({
    apiVersion: 'hersh.dev/v1',
    kind: 'Program',
    metadata: { name },
    spec: { userId: 'me', ...source, ...spec },
  });
}
