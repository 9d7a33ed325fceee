import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExec, describeCommand } from '../../../controller/serve/exec.ts';
import { AppError } from '../../../schemas/errors.ts';
import { EXECS_MAX, type ExecPiece } from '../../../schemas/exec.ts';
import { fakeView } from '../../api/fake-view.ts';

function stage(containerId = 'c0ffee', doesRun = true) {
  const told: unknown[] = [];
  const view = fakeView('web', { status: { containerId } });
  async function* pieces(): AsyncGenerator<ExecPiece> {
    yield { exitCode: 0 };
  }
  const exec = createExec(
    {
      engine: { exec: async () => (doesRun ? pieces() : undefined) },
      tell: async (name, event) => void told.push({ name, ...event }),
    },
    { mustGet: () => view },
  );
  return { exec, told };
}

const signal = new AbortController().signal;

test('a command is an event of whoever has the program', async () => {
  const { exec, told } = stage();
  const { containerId } = await exec('web', { command: ['ls', '-l', 'a b'], signal });
  assert.equal(containerId, 'c0ffee');
  const message = 'ls -l "a b" is run in its container, by a call';
  assert.deepEqual(told, [{ name: 'web', type: 'Normal', reason: 'Exec', message, author: 'my-user' }]);
});

test('what does not run is a conflict that says what to do, and no event', async () => {
  for (const { exec, told } of [stage(''), stage('c0ffee', false)]) {
    await assert.rejects(exec('web', { command: ['ls'], signal }), (error) => {
      assert.ok(error instanceof AppError && error.http === 409);
      assert.match(error.message, /^program not running; its state is /);
      assert.ok(error.hint);
      return true;
    });
    assert.deepEqual(told, []);
  }
});

test('so many run at once, and each that ended, was left, or has no client any more makes room', async () => {
  const { exec } = stage();
  const gone = new AbortController();
  const run = (by = signal) => exec('web', { command: ['ls'], signal: by });
  const all = [];
  for (let n = 1; n < EXECS_MAX; n++) all.push(await run());
  await run(gone.signal);
  const isFull = () => assert.rejects(run(), (error) => error instanceof AppError && error.reason === 'Busy');
  await isFull();
  gone.abort();
  await run();
  await isFull();
  for await (const _ of all[0]?.pieces ?? []);
  await run();
  await isFull();
  await all[1]?.pieces[Symbol.asyncIterator]().return?.();
  await run();
  await isFull();
});

test('the command line that is told is one line, bounded, and without values of variables', () => {
  const command = ['sh', '-c', 'echo "$TOKEN" s3cret-word\nls', 'on'];
  assert.equal(describeCommand(command, ['s3cret-word', 'on']), 'sh -c "echo \\"$TOKEN\\" ***\\nls" on');
  assert.equal(describeCommand(['x'.repeat(1_000)], []).length, 201);
});

test('the command line that is told shows what nobody would see, and what a terminal would obey', () => {
  const unseen = [0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x200b, 0x2028, 0x2029, 0x202e, 0x2066, 0xfeff, 0xe0041];
  for (const code of unseen) {
    const char = String.fromCodePoint(code);
    const told = describeCommand(['echo', `a${char}b`], []);
    assert.match(told, /^echo "a(\\u[0-9a-f]{4}){1,2}b"$/);
    assert.equal(
      JSON.parse(told.slice('echo '.length)),
      `a${char}b`,
      'and can be told from what it hides as',
    );
  }
  assert.equal(describeCommand(['echo', 'ä 漢😀'], []), 'echo "ä 漢😀"');
});
