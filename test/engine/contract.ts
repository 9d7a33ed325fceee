import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container, CreateContainer, Engine, EngineEvent } from '../../controller/engine/engine.ts';
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
  /** A context with this Dockerfile in it, whose `RUN` lines have a shell at `/busybox sh -c`. */
  context(dockerfile: string): () => NodeJS.ReadableStream;
  /** Waits until the condition holds; fails saying `what` after a generous limit. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Listens on a host port; gives what ends that. */
  occupy(port: number): Promise<() => Promise<void>>;
  /** Makes the program that listens on that port print a line. */
  print(id: string, port: number, text: string, stream: 'out' | 'err'): Promise<void>;
  pause(id: string): Promise<void>;
}

const never = new AbortController().signal;

/** The promises of the engine port, for whichever engine `world` gives. It is made before the first test. */
export function describeEngine(name: string, world: () => ContractWorld): void {
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
    const logs = await world().one.logs(id, { tail, sinceSeconds: 0, follow: false, signal: never });
    let all = '';
    for await (const piece of logs) all += Buffer.from(piece).toString('utf8');
    return all;
  };
  const build = (dockerfile: string, onLog: (text: string) => void = () => {}, signal = never) =>
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

  describe(`${name}: a container's life`, () => {
    it('answers, and knows its runtimes', async () => {
      await world().one.ping();
      assert.ok((await world().one.info()).runtimes.includes('runc'));
    });

    it('is created without running, with our labels on it', async () => {
      const { id, ask } = await made();
      const found = await inspect(id);
      assert.equal(found.state, 'created');
      assert.equal(found.name, ask.name);
      assert.equal(found.program, ask.program);
      assert.equal(found.imageId, ask.image);
      assert.equal(found.publishPort, ask.publishPort);
      assert.ok(found.createdAtMs > 0);
      assert.equal(found.startedAtMs, 0);
      assert.equal(found.finishedAtMs, 0);
      assert.equal(found.startError, '');
      assert.equal(found.labels[LABELS.instance], world().instances.one);
      assert.equal(found.labels[LABELS.program], ask.program);
      assert.equal(found.labels[LABELS.specHash], 'v1:abc');
      assert.equal(found.labels[LABELS.build], '', 'a label of ours that was not given is there, and empty');
      assert.equal(found.labels.team, 'desk-3');
    });

    it('starts, also when it runs already; stops, also when it has stopped; starts again', async () => {
      const { one } = world();
      const { id } = await running();
      assert.equal(await one.startContainer(id), 'started');
      const first = await inspect(id);
      assert.equal(first.state, 'running');
      assert.ok(first.startedAtMs > 0);
      await one.stopContainer(id, 5);
      await one.stopContainer(id, 5);
      const second = await inspect(id);
      assert.equal(second.state, 'exited');
      assert.equal(second.exitCode, 0);
      assert.ok(second.finishedAtMs >= second.startedAtMs);
      assert.equal(await one.startContainer(id), 'started');
      assert.equal((await inspect(id)).state, 'running');
    });

    it('tells how it exited by itself', async () => {
      const { id } = await running({ EXIT: '7' });
      await ended(id);
      const found = await inspect(id);
      assert.equal(found.exitCode, 7);
      assert.equal(found.oomKilled, false);
      assert.ok(found.finishedAtMs > 0);
    });

    it('is killed when its grace is over', async () => {
      const { id } = await running({ IGNORE_TERM: '1' });
      await world().until('it has taken its precautions', async () => (await text(id)).includes('listening'));
      await world().one.stopContainer(id, 1);
      assert.equal((await inspect(id)).exitCode, 137);
    });

    it('stops though it is paused, and goes on when it is unpaused', async () => {
      const { one, pause } = world();
      const { id } = await running();
      await pause(id);
      assert.equal((await inspect(id)).state, 'paused');
      await one.unpauseContainer(id);
      await one.unpauseContainer(id);
      assert.equal((await inspect(id)).state, 'running');
      await pause(id);
      await one.stopContainer(id, 1);
      assert.equal((await inspect(id)).state, 'exited');
    });

    it('is renamed, also to the name it has, and never to a taken one', async () => {
      const { one } = world();
      const { id, ask } = await made();
      const { ask: neighbour } = await made();
      await one.renameContainer(id, `${ask.name}-old`);
      await one.renameContainer(id, `${ask.name}-old`);
      assert.equal((await inspect(id)).name, `${ask.name}-old`);
      await rejects(one.renameContainer(id, neighbour.name), 'StartFailed');
    });

    it('is removed while it runs, and twice', async () => {
      const { one } = world();
      const { id } = await running();
      await one.removeContainer(id);
      assert.equal(await one.inspectContainer(id), undefined);
      await one.removeContainer(id);
    });
  });

  describe(`${name}: what is gone is data`, () => {
    it('says so for containers, images and volumes', async () => {
      const { one } = world();
      const id = 'f'.repeat(64);
      assert.equal(await one.inspectContainer(id), undefined);
      assert.equal(await one.startContainer(id), 'gone');
      await one.stopContainer(id, 1);
      await one.unpauseContainer(id);
      await one.renameContainer(id, 'whatever');
      await one.removeContainer(id);
      assert.equal(await text(id), '');
      assert.equal(await one.inspectImage(`sha256:${'e'.repeat(64)}`), undefined);
      assert.equal(await one.inspectImage('no/such/image:1'), undefined);
      assert.equal(await one.inspectImage('../containers/json?all=1'), undefined);
      assert.equal(await one.removeVolume(`${world().instances.one}-none`), false);
    });

    it('refuses to make a container of an image that is not there', async () => {
      await rejects(made({ image: `sha256:${'e'.repeat(64)}` }), 'ImageNotFound');
    });

    it('refuses to pull what no registry gives, and stops pulling when asked', async () => {
      const { one } = world();
      await rejects(
        one.pull('127.0.0.1:9/no/such:1', () => {}, never),
        'ImageNotFound',
      );
      await rejects(
        one.pull('no/such:1', () => {}, AbortSignal.abort()),
        'BuildAborted',
      );
    });
  });

  describe(`${name}: names and owners`, () => {
    it('lists its own in the order they were made, of one program too', async () => {
      const { one } = world();
      const ids = [(await made()).id, (await made()).id, (await made()).id];
      const listed = (await one.listContainers()).map(({ id }) => id).filter((id) => ids.includes(id));
      assert.deepEqual(listed, ids);
      const { id, ask } = await running();
      const [only, ...rest] = await one.listContainers(ask.program);
      assert.deepEqual(rest, []);
      assert.equal(only?.id, id);
      assert.equal(only?.name, ask.name);
      assert.equal(only?.state, 'running');
      assert.equal(only?.program, ask.program);
    });

    it('never shows one instance what belongs to another', async () => {
      const { one, other } = world();
      const { ask } = await made();
      assert.deepEqual(await other.listContainers(ask.program), []);
      assert.ok(!(await other.listVolumes()).some(({ name }) => name === ask.volume));
      assert.ok((await one.listVolumes()).some(({ name }) => name === ask.volume));
    });

    it('replaces its own container that never ran', async () => {
      const { one } = world();
      const { id, ask } = await made();
      const again = await one.createContainer(ask);
      assert.notEqual(again, id);
      assert.equal(await one.inspectContainer(id), undefined);
    });

    it('leaves one that ran, and one of another owner, and names the holder', async () => {
      const { one, other } = world();
      const { id, ask } = await running();
      await rejects(one.createContainer(ask), 'StartFailed', ask.name);
      await one.stopContainer(id, 1);
      await rejects(one.createContainer(ask), 'StartFailed', ask.name);
      await rejects(other.createContainer({ ...ask, volume: `${ask.volume}-b` }), 'StartFailed', ask.name);
      await rejects(one.createContainer({ ...ask, program: 'somebody-else' }), 'StartFailed', ask.name);
      assert.ok(await one.inspectContainer(id));
    });

    it('keeps the volume when the container goes, and removes it only when nothing uses it', async () => {
      const { one } = world();
      const { id, ask } = await made();
      await rejects(one.removeVolume(ask.volume), 'StartFailed');
      await one.removeContainer(id);
      const volume = (await one.listVolumes()).find(({ name }) => name === ask.volume);
      assert.equal(volume?.labels[LABELS.user], 'ann');
      assert.equal(await one.removeVolume(ask.volume), true);
      assert.equal(await one.removeVolume(ask.volume), false);
    });
  });

  describe(`${name}: ports`, () => {
    it('says when a process has the port, and starts once it is free', async () => {
      const { one, occupy } = world();
      const { id, ask } = await made();
      const release = await occupy(ask.publishPort);
      try {
        await rejects(one.startContainer(id), 'PortConflict');
        const found = await inspect(id);
        assert.equal(found.state, 'created');
        assert.notEqual(found.startError, '');
        assert.equal(found.startedAtMs, 0);
      } finally {
        await release();
      }
      assert.equal(await one.startContainer(id), 'started');
      assert.equal((await inspect(id)).startError, '');
    });

    it('says when another container has the port', async () => {
      const { one } = world();
      const { id: first, ask } = await running();
      const { id: second } = await made({ publishPort: ask.publishPort });
      await rejects(one.startContainer(second), 'PortConflict');
      await one.stopContainer(first, 1);
      assert.equal(await one.startContainer(second), 'started');
    });
  });

  describe(`${name}: builds`, () => {
    const base = 'FROM scratch\nCOPY busybox /busybox\n';

    it('builds, tells how, and puts tag and labels on it', async () => {
      let log = '';
      const { one } = world().instances;
      const image = await build(`${base}RUN ["/busybox","sh","-c","echo built-by-${one}"]\n`, (piece) => {
        log += piece;
      });
      assert.match(image.id, /^sha256:[0-9a-f]{64}$/);
      assert.equal(image.labels[LABELS.build], 'whole-hash');
      assert.match(log, /^#\d+ .*RUN/m);
      assert.match(log, /^#\d+ built-by-[\w-]+$/m);
      assert.match(log, /^#\d+ DONE \d+\.\ds$/m);
      const byTag = await world().one.inspectImage(world().tag(`build-${count}`));
      assert.equal(byTag?.id, image.id);
      assert.deepEqual(await world().one.inspectImage(image.id), image);
    });

    it('gives the same image for the same input', async () => {
      const dockerfile = `${base}RUN ["/busybox","sh","-c","echo twice"]\n`;
      assert.equal((await build(dockerfile)).id, (await build(dockerfile)).id);
    });

    it('says what failed', async () => {
      let log = '';
      const dockerfile = `${base}RUN ["/busybox","sh","-c","echo before-it; exit 3"]\n`;
      const failing = build(dockerfile, (piece) => {
        log += piece;
      });
      await rejects(failing, 'BuildFailed', 'exit code: 3');
      assert.match(log, /before-it/);
      assert.equal(await world().one.inspectImage(world().tag(`build-${count}`)), undefined);
    });

    it('says where the Dockerfile does not parse', async () => {
      await rejects(build('FROM scratch\nFOO bar\n'), 'BuildFailed', 'line 2');
    });

    it('says that there is no Dockerfile', async () => {
      const { one, context, tag } = world();
      const asked = {
        context: context(base),
        dockerfile: 'other/Dockerfile',
        args: {},
        tag: tag('none'),
        labels: {},
      };
      await rejects(
        one.build(asked, () => {}, never),
        'BuildFailed',
      );
    });

    it('stops when nobody wants it any more', async () => {
      const stop = new AbortController();
      const dockerfile = `${base}RUN ["/busybox","sh","-c","echo waiting; /busybox sleep 300"]\n`;
      const building = build(
        dockerfile,
        (piece) => {
          if (piece.includes('sleep 300')) stop.abort();
        },
        stop.signal,
      );
      await rejects(building, 'BuildAborted');
      await rejects(
        build(dockerfile, () => {}, AbortSignal.abort()),
        'BuildAborted',
      );
    });
  });

  describe(`${name}: logs`, () => {
    it('gives both streams in order, and the last lines where asked', async () => {
      const { print } = world();
      const { id, ask } = await running();
      await world().until('it listens', async () => (await text(id)).includes('listening'));
      for (let n = 1; n <= 6; n++) await print(id, ask.publishPort, `line ${n}`, n % 2 ? 'out' : 'err');
      const all = 'listening on 8080\nline 1\nline 2\nline 3\nline 4\nline 5\nline 6\n';
      await world().until('every line is there', async () => (await text(id)) === all);
      assert.equal(await text(id, 2), 'line 5\nline 6\n');
    });

    it('follows until the container ends', async () => {
      const { id } = await running({ EXIT_AFTER_MS: '300' });
      const logs = await world().one.logs(id, { tail: 'all', sinceSeconds: 0, follow: true, signal: never });
      let all = '';
      for await (const piece of logs) all += Buffer.from(piece).toString('utf8');
      assert.equal(all, 'listening on 8080\nexiting as told by EXIT_AFTER_MS\n');
    });

    it('follows until the signal, also when it fired before', async () => {
      const { id } = await running();
      const stop = new AbortController();
      const ask = { tail: 'all', sinceSeconds: 0, follow: true, signal: stop.signal } as const;
      let all = '';
      for await (const piece of await world().one.logs(id, ask)) {
        all += Buffer.from(piece).toString('utf8');
        stop.abort();
      }
      assert.match(all, /^listening/);
      for await (const _ of await world().one.logs(id, ask)) assert.fail('nothing is read after the signal');
    });
  });

  describe(`${name}: events`, () => {
    it('tells one instance what happens to its programs, and the other nothing', async () => {
      const { one, other } = world();
      const mine: EngineEvent[] = [];
      const theirs: EngineEvent[] = [];
      let connected = 0;
      const onConnect = (): void => {
        connected += 1;
      };
      const watches = [
        one.watch(
          (event) => mine.push(event),
          onConnect,
          () => {},
        ),
        other.watch(
          (event) => theirs.push(event),
          onConnect,
          () => {},
        ),
      ];
      await world().until('both watch', () => connected === 2);
      const { id, ask } = await running();
      await one.stopContainer(id, 1);
      await one.removeContainer(id);
      const actions = (): string[] =>
        mine.filter((event) => event.containerId === id).map(({ action }) => action);
      await world().until('its end is told', () => actions().includes('destroy'));
      assert.deepEqual(actions(), ['create', 'start', 'die', 'destroy']);
      assert.ok(
        mine.filter((event) => event.containerId === id).every(({ program }) => program === ask.program),
      );
      assert.deepEqual(theirs, []);
      for (const watch of watches) await watch.close();
      const before = mine.length;
      await made();
      assert.equal(mine.length, before, 'nothing comes after close');
    });
  });
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
