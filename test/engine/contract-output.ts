import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { EngineEvent } from '../../controller/engine/engine.ts';
import { type LogPiece, nanosOf } from '../../schemas/log-piece.ts';
import { LABELS } from '../../schemas/program.ts';
import { type ContractKit, never, rejects } from './contract-kit.ts';

/** What an engine tells: builds, logs and events. */
export function describeOutput(name: string, kit: ContractKit): void {
  const { world, made, running, text, build, newest } = kit;

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
      const byTag = await world().one.inspectImage(newest());
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
      assert.equal(await world().one.inspectImage(newest()), undefined);
    });

    it('says that there was no room, whatever the step made of it', async () => {
      const dockerfile = `${base}RUN ["/busybox","sh","-c","echo No space left on device; exit 1"]\n`;
      await rejects(build(dockerfile), 'DiskFull');
    });

    it('says that its context can not be read, which is not its own fault', async () => {
      const context = (): NodeJS.ReadableStream =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(512);
            throw new Error('sources/x is gone');
          })(),
        );
      const ask = { context, dockerfile: 'Dockerfile', args: {}, tag: world().tag('broken'), labels: {} };
      const building = world().one.build(ask, () => {}, never);
      await rejects(building, 'RegistryUnavailable', 'sources/x is gone');
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
      let all = 'listening on 8080\n';
      await world().until('it listens', async () => (await text(id)) === all);
      for (let n = 1; n <= 6; n++) {
        await print(id, ask.publishPort, `line ${n}`, n % 2 ? 'out' : 'err');
        all += `line ${n}\n`;
        // Engines read the two streams side by side: only lines that were read one after the other have an order.
        await world().until(`line ${n} is there`, async () => (await text(id)).includes(`line ${n}\n`));
      }
      assert.equal(await text(id), all);
      assert.equal(await text(id, 2), 'line 5\nline 6\n');
    });

    it('says when each line came, and gives the rest from such a time on', async () => {
      const { id, ask } = await running();
      await world().until('it listens', async () => (await text(id)) !== '');
      await world().print(id, ask.publishPort, 'later', 'out');
      await world().until('it has printed', async () => (await text(id)).includes('later'));
      const since = async (sinceNanos: bigint): Promise<LogPiece[]> => {
        const pieces: LogPiece[] = [];
        const logs = await world().one.logs(id, { tail: 'all', sinceNanos, follow: false, signal: never });
        for await (const piece of logs) pieces.push(piece);
        return pieces;
      };
      const [, later] = await since(0n);
      assert.match(later?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
      const nanos = nanosOf(later?.time ?? '') ?? 0n;
      assert.deepEqual(await since(nanos), [later]);
      assert.deepEqual(await since(nanos + 1n), []);
    });

    it('follows until the container ends', async () => {
      const { id } = await running({ EXIT_AFTER_MS: '300' });
      const logs = await world().one.logs(id, { tail: 'all', sinceNanos: 0n, follow: true, signal: never });
      let all = '';
      for await (const { bytes } of logs) all += Buffer.from(bytes).toString('utf8');
      assert.equal(all, 'listening on 8080\nexiting as told by EXIT_AFTER_MS\n');
    });

    it('follows until the signal, also when it fired before', async () => {
      const { id } = await running();
      const stop = new AbortController();
      const ask = { tail: 'all', sinceNanos: 0n, follow: true, signal: stop.signal } as const;
      let all = '';
      for await (const { bytes } of await world().one.logs(id, ask)) {
        all += Buffer.from(bytes).toString('utf8');
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
      // Engines may also tell of networks, and name the container alone: whose it is, the caller knows.
      const named = (events: EngineEvent[]) => events.filter(({ program }) => program !== '');
      await world().until('both watch', () => connected === 2);
      const { id, ask } = await running();
      await one.stopContainer(id, 1);
      await one.removeContainer(id);
      const actions = (): string[] =>
        named(mine)
          .filter((event) => event.containerId === id)
          .map(({ action }) => action);
      await world().until('its end is told', () => actions().includes('destroy'));
      assert.deepEqual(actions(), ['create', 'start', 'die', 'destroy']);
      assert.ok(
        named(mine)
          .filter((event) => event.containerId === id)
          .every(({ program }) => program === ask.program),
      );
      assert.deepEqual(named(theirs), []);
      for (const watch of watches) await watch.close();
      const before = mine.length;
      await made();
      assert.equal(mine.length, before, 'nothing comes after close');
    });
  });
}
