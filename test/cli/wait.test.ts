import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeView } from '../api/fake-view.ts';
import { cli } from './cli.ts';

test('wait ends when all are so', async (t) => {
  const { host, run, start } = await cli(t, [fakeView('a'), fakeView('b', { state: 'Building' })]);
  assert.deepEqual(await run('wait', 'a', '--for', 'ready'), { code: 0, out: 'a: Ready\n', err: '' });
  const both = start({}, 'wait', 'a', 'b', '--for=Ready', '--timeout', '0');
  await both.shows('a: Ready');
  host.put(fakeView('b'));
  assert.deepEqual(await both.ended, { code: 0, out: 'a: Ready\nb: Ready\n', err: '' });
  const gone = start({}, 'wait', 'a', 'nobody', '--for=Deleted', '--timeout=0');
  await gone.shows('nobody');
  await host.deps.programs.remove('a');
  const { code, err } = await gone.ended;
  assert.deepEqual([code, err], [0, 'there is no program "nobody" (any more)\n']);
  // The beginning of a name is none that could be waited for: "a" may be gone while "ab" is there.
  assert.match((await run('wait', 'bb', '--for=Deleted')).err, /there is no program "bb"/);
});

test('a stream that ends without a word is no end of what is waited for', async (t) => {
  const { host, start } = await cli(t, [fakeView('a', { state: 'Building' })]);
  let streams = 0;
  const silent: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    if (!String(input).includes('follow=true') || ++streams > 1) return answer;
    await answer.body?.cancel();
    return new Response('', { headers: answer.headers });
  };
  const wait = start({ fetch: silent }, 'wait', 'a', '--for=Ready', '--timeout=0');
  await wait.shows('the host is back');
  host.put(fakeView('a'));
  assert.deepEqual((await wait.ended).code, 0);
  assert.equal((await wait.ended).out, 'a: Ready\n');
});

test('what does not come in time is 124, with who is not so', async (t) => {
  const { start } = await cli(t, [fakeView('a', { state: 'Building' }), fakeView('b')]);
  const late = start({}, 'wait', 'a', 'b', '--for=Ready', '--timeout', '90s');
  await late.shows('b: Ready');
  late.passTime();
  const { code, err } = await late.ended;
  assert.deepEqual([code, err], [124, 'error: in 90 s not Ready: a\n']);
});

test('what fails for good, is deleted, or is no such thing is not waited for', async (t) => {
  const failed = { reason: 'BuildFailed', errorMsg: 'no such file\nmore' };
  const { host, run, start } = await cli(t, [
    fakeView('bad', { state: 'Error', status: failed }),
    fakeView('tried', { state: 'Error', details: { nextTryAt: '2026-11-22T10:00:01.000Z' } }),
  ]);
  const bad = await run('wait', 'bad', '--for=Ready');
  assert.equal(bad.code, 1);
  assert.match(bad.err, /bad does not get Ready by itself: BuildFailed: no such file\nhershctl describe bad/);
  const tried = start({}, 'wait', 'tried', '--for=Ready', '--timeout=0');
  await new Promise((resolve) => setImmediate(resolve));
  await host.deps.programs.remove('tried');
  const { code } = await tried.ended;
  assert.equal(code, 4);
  assert.equal((await run('wait', 'bad', '--for=Happy')).code, 2);
  assert.equal((await run('wait', 'bad')).code, 2);
  assert.equal((await run('wait', 'bad', '--for=Ready', '--timeout', 'soon')).code, 2);
  assert.equal((await run('wait', 'nobody', '--for=Ready')).code, 4);
});
