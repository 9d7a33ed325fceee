import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createGitRun } from '../../../registry/git/run.ts';
import { tempFolder } from '../../registry/folder.ts';

/** A git that says a word, and waits for `go` before the next. */
const TALKS =
  'alias.talk=!f() { for n in 1 2; do echo $n; : > said$n; while [ ! -e go$n ]; do sleep 0.02; done; done; }; f';

const SILENCE_MS = 60_000;

/** Begins to talk; `silent` lets time pass without a word. */
async function talk(t: TestContext, end?: AbortSignal) {
  const root = await tempFolder(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const run = createGitRun(root, end)(['-c', TALKS, 'talk'], { silenceMs: SILENCE_MS });
  const turns = async (is: () => boolean) => {
    for (let calm = 0; calm < 50; calm += is() ? 1 : 0) await new Promise(setImmediate);
  };
  return {
    run,
    said: (n: number) => turns(() => existsSync(join(root, `said${n}`))),
    go: (n: number) => writeFileSync(join(root, `go${n}`), ''),
  };
}

describe('git: a limit on silence', () => {
  test('a git that goes on saying something may take as long as it likes', async (t) => {
    const { run, said, go } = await talk(t);
    for (const n of [1, 2]) {
      await said(n);
      t.mock.timers.tick(SILENCE_MS - 1);
      go(n);
    }
    assert.deepEqual(await run, { code: 0, stdout: '1\n2\n', stderr: '' });
  });

  test('one that says nothing is ended, and so is one whose host ends', async (t) => {
    const silent = await talk(t);
    await silent.said(1);
    t.mock.timers.tick(SILENCE_MS);
    assert.deepEqual(await silent.run, {
      ...{ code: 124, stdout: '1\n' },
      stderr: 'it said nothing for 60 s and was ended',
    });
    t.mock.timers.reset();
    const ends = new AbortController();
    const long = await talk(t, ends.signal);
    await long.said(1);
    ends.abort();
    assert.equal((await long.run).code, 124);
    assert.equal((await createGitRun('/', ends.signal)(['--version'])).code, 124, 'nothing begins any more');
  });
});
