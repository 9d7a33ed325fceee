import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecRequest } from '../../schemas/exec.ts';
import type { ContractKit } from './contract-kit.ts';
import { never } from './contract-kit.ts';

/** Commands that are run in a container. */
export function describeExec(name: string, kit: ContractKit): void {
  const { world, build, made } = kit;

  /** A container with a shell in it, that runs. */
  const running = async (): Promise<string> => {
    const lines = [
      'FROM hersh-test/server:latest',
      'COPY busybox /busybox',
      'RUN ["/busybox","mkdir","/bin"]',
    ];
    const { id: image } = await build([...lines, 'RUN ["/busybox","--install","-s","/bin"]', ''].join('\n'));
    const { id } = await made({ image });
    assert.equal(await world().one.startContainer(id), 'started');
    return id;
  };
  const sh = (script: string) => ['sh', '-c', script];

  /** All that a command gives. */
  const run = async (id: string, command: readonly string[], more: Partial<ExecRequest> = {}) => {
    const pieces = await world().one.exec(id, { command, signal: never, ...more });
    assert.ok(pieces, 'the container runs');
    const all = { stdout: '', stderr: '', code: undefined as number | undefined };
    for await (const piece of pieces) {
      assert.equal(all.code, undefined, 'nothing comes after the end');
      if ('exitCode' in piece) all.code = piece.exitCode;
      else all[piece.stream] += Buffer.from(piece.bytes).toString('utf8');
    }
    return all;
  };

  describe(`${name}: commands in a container`, () => {
    it('gives both streams apart, what is read, and how it ended', async () => {
      const id = await running();
      const said = await run(id, sh('echo out; echo err >&2; exit 3'));
      assert.deepEqual(said, { stdout: 'out\n', stderr: 'err\n', code: 3 });
      async function* stdin() {
        yield Buffer.from('one\n');
        yield Buffer.from('two');
      }
      const read = await run(id, sh('cat; exit 4'), { stdin: stdin() });
      assert.deepEqual(read, { stdout: 'one\ntwo', stderr: '', code: 4 });
      assert.deepEqual(await run(id, sh('cat')), { stdout: '', stderr: '', code: 0 }, 'nothing to read');
      assert.deepEqual(await run(id, sh('cat'), { stdin: (async function* () {})() }), {
        ...{ stdout: '', stderr: '', code: 0 },
      });
    });

    it('says on stderr why it could not be run', async () => {
      const { stdout, stderr, code } = await run(await running(), ['not-there']);
      assert.equal(stdout, '');
      assert.match(stderr, /"not-there": executable file not found/);
      // 126 of Docker 20.10 with runc 1.1, 127 of later ones.
      assert.ok(code === 126 || code === 127, String(code));
    });

    it('gives what is written as it comes, and ends with the signal', async () => {
      const id = await running();
      const stop = new AbortController();
      const request = { command: sh('echo on; sleep 300; echo over'), signal: stop.signal };
      const pieces = await world().one.exec(id, request);
      let all = '';
      for await (const piece of pieces ?? []) {
        assert.ok('bytes' in piece);
        all += Buffer.from(piece.bytes).toString('utf8');
        stop.abort();
      }
      assert.equal(all, 'on\n');
      for await (const _ of (await world().one.exec(id, request)) ?? [])
        assert.fail('nothing after the signal');
    });

    it('ends with its container, and is none where that does not run', async () => {
      const id = await running();
      const pieces = await world().one.exec(id, { command: sh('echo on; sleep 300'), signal: never });
      let code: number | undefined;
      for await (const piece of pieces ?? []) {
        if ('exitCode' in piece) code = piece.exitCode;
        else await world().one.stopContainer(id, 0);
      }
      assert.equal(code, 137);
      const request = { command: sh('echo on'), signal: never };
      assert.equal(await world().one.exec(id, request), undefined);
      const { id: other } = await made();
      assert.equal(await world().one.exec(other, request), undefined, 'created, and never started');
      const paused = await running();
      await world().pause(paused);
      assert.equal(await world().one.exec(paused, request), undefined, 'paused');
      await world().one.removeContainer(id);
      assert.equal(await world().one.exec(id, request), undefined, 'gone');
    });
  });
}
