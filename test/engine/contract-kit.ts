import assert from 'node:assert/strict';
import type { CreateContainer, Engine, Image } from '../../controller/engine/engine.ts';
import type { Container, ContainerSettings } from '../../schemas/container.ts';
import { AppError, type Reason } from '../../schemas/errors.ts';
import { LABELS } from '../../schemas/program.ts';

/** What a suite over the port needs of the world behind it. */
export interface ContractWorld {
  /** Two instances on the same engine. */
  one: Engine;
  other: Engine;
  instances: { one: string; other: string };
  /** Id of the image that behaves as test/setup/test-server. */
  image: string;
  /** A tag builds may use, one a name. */
  tag(name: string): string;
  /** A free port of the suite's own, another at each call. */
  port(): number;
  /** A context with this Dockerfile and these files in it, whose `RUN` lines have a shell at `/busybox sh -c`. */
  context(dockerfile: string, files?: Record<string, string>): () => NodeJS.ReadableStream;
  /** Waits until the condition holds; fails saying `what` after a generous limit. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Listens on a host port; gives what ends that. */
  occupy(port: number): Promise<() => Promise<void>>;
  /** Makes the program that listens on that port print a line. */
  print(id: string, port: number, text: string, stream: 'out' | 'err'): Promise<void>;
  pause(id: string): Promise<void>;
  /** What people can do to a network sandbox. */
  hitSandbox(id: string, how: 'kill' | 'start' | 'pause' | 'disconnect'): Promise<void>;
  /** The id of the spare sandbox on that port. */
  spareOn(port: number): Promise<string>;
  /** The engine as the next host of `one` comes to it. */
  again(): Engine;
  /** Ids of the helper containers of `one` and of the images that they are made of, there now. */
  helpers(): Promise<string[]>;
  /** Makes the engine take calls of `one` and answer none, or lets it go on. */
  freeze(frozen: boolean): void;
  /** As `docker update` does it. */
  update(id: string, change: Partial<ContainerSettings>): Promise<void>;
  /** Leaves an image as a host does that is killed between building it and saying that it has a use for it. */
  unclaim(imageId: string): Promise<void>;
  /** As people tag an image. */
  tagImage(imageId: string, reference: string): Promise<void>;
  /** As people commit a container of an image, labels and all; without a tag where none is given. Gives its id. */
  derive(imageId: string, reference?: string): Promise<string>;
  /** As people commit a container and run what comes of it. Gives the id of the container that runs. */
  copy(id: string): Promise<string>;
}

/** A signal that never fires. */
export const never = new AbortController().signal;

/** What the parts of the suite share. `world` is asked when a test runs, not before. */
export type ContractKit = ReturnType<typeof createKit>;

export function createKit(world: () => ContractWorld) {
  let count = 0;

  const request = (more: Partial<CreateContainer> = {}): CreateContainer => {
    count += 1;
    const { instances, image, port } = world();
    const program = more.program ?? `p${count}`;
    return {
      program,
      name: `${instances.one}-${program}`,
      image,
      labels: { [LABELS.specHash]: 'v1:abc', team: 'desk-3' },
      env: {},
      publishPort: more.publishPort ?? port(),
      runtime: 'runc',
      memoryBytes: 64 * 1024 * 1024,
      cpus: 1,
      pids: 64,
      volume: `${instances.one}-${program}`,
      volumeLabels: { [LABELS.user]: 'ann' },
      ...more,
    };
  };

  /** A container made as asked and, mostly, started. */
  const made = async (more: Partial<CreateContainer> = {}): Promise<{ id: string; ask: CreateContainer }> => {
    const ask = request(more);
    return { id: await world().one.createContainer(ask), ask };
  };
  const running = async (env: Record<string, string> = {}): Promise<{ id: string; ask: CreateContainer }> => {
    const result = await made({ env });
    assert.equal(await world().one.startContainer(result.id), 'started');
    return result;
  };
  const inspect = async (id: string): Promise<Container> => {
    const found = await world().one.inspectContainer(id);
    assert.ok(found, 'the container is there');
    return found;
  };
  const ended = (id: string): Promise<void> =>
    world().until('the container ends', async () => (await inspect(id)).state === 'exited');
  const text = async (id: string, tail: number | 'all' = 'all'): Promise<string> => {
    const logs = await world().one.logs(id, { tail, sinceNanos: 0n, follow: false, signal: never });
    let all = '';
    for await (const { bytes } of logs) all += Buffer.from(bytes).toString('utf8');
    return all;
  };
  const build = (
    dockerfile: string,
    onLog: (text: string) => void = () => {},
    signal = never,
  ): Promise<Image> =>
    world().one.build(
      {
        context: world().context(dockerfile),
        dockerfile: 'Dockerfile',
        args: { GREETING: 'hello' },
        tag: world().tag(`build-${++count}`),
        labels: { [LABELS.build]: 'whole-hash' },
      },
      onLog,
      signal,
    );

  return {
    world,
    request,
    made,
    running,
    inspect,
    ended,
    text,
    build,
    newest: () => world().tag(`build-${count}`),
  };
}

/** Asserts a rejection with an AppError of that reason, whose message holds `words`. */
export async function rejects(promise: Promise<unknown>, reason: Reason, words = ''): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof AppError, `an AppError, not ${error}`);
    assert.equal(error.reason, reason, `${error.reason}: ${error.message}`);
    assert.ok(
      error.message.includes(words),
      `${JSON.stringify(error.message)} says ${JSON.stringify(words)}`,
    );
    return true;
  });
}
