import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createHost, type Host, type Program } from './host.ts';
import { until } from './until.ts';

/** What programs print, and builds, as data; with the engine of this machine. */

let host: Host;

before(async () => {
  host = await createHost('29644-29649');
  await host.start();
});

after(() => host?.close());

interface Line {
  id: string;
  time: string;
  stream: string;
  run: string;
  text: string;
}

interface Told {
  id: string;
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: of every kind
  data: any;
}

/** Reads server-sent events until it is stopped or they end. */
async function follow(path: string, lastId = '') {
  const client = new AbortController();
  const signal = AbortSignal.any([client.signal, AbortSignal.timeout(60_000)]);
  const headers = lastId === '' ? {} : { 'Last-Event-ID': lastId };
  const response = await fetch(`${await host.child().url()}${path}`, { signal, headers });
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  const told: Told[] = [];
  let rest = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) {
      const frames = (rest + Buffer.from(chunk).toString()).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1] ?? '';
        if (!frame.startsWith(':'))
          told.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) });
      }
    }
  })().catch((error) => {
    if (!client.signal.aborted) throw error;
  });
  return {
    told,
    texts: () => told.flatMap(({ event, data }) => (event === 'line' ? [data.text as string] : [])),
    reading,
    async close() {
      client.abort();
      await reading;
    },
  };
}

const page = async (name: string, query = '') =>
  (await host.call('GET', `/programs/${name}/logs?format=json${query}`)).json;

const print = (program: Program, text: string, err = 0) =>
  host.direct(program, `/log?text=${encodeURIComponent(text)}&err=${err}`);

describe('logs as data', () => {
  it('page backwards over runs, each line once, with its run, stream and time', async () => {
    await host.writeManifest('paged');
    const program = await host.untilState('paged', 'Ready');
    for (let n = 0; n < 25; n++) await print(program, `line ${n}`, n % 2);
    await host.direct(program, '/crash?code=3', { method: 'POST' }).catch(() => undefined);
    const again = await host.untilProgram(
      'paged',
      'runs again',
      (p) => p.restart_count === 1 && p.state === 'Ready',
    );
    for (let n = 25; n < 30; n++) await print(again, `line ${n}`, n % 2);
    await until('the last line is there', async () => (await page('paged')).lines.at(-1)?.text === 'line 29');
    const pages: Line[][] = [];
    let answer = await page('paged', '&tail=7');
    for (;;) {
      pages.unshift(answer.lines);
      if (!answer.more) break;
      answer = await page('paged', `&tail=7&before=${answer.before}`);
    }
    const lines = pages.flat();
    const printed = lines.filter(({ text }) => text.startsWith('line '));
    assert.deepEqual(
      printed.map(({ text }) => text).sort(),
      Array.from({ length: 30 }, (_, n) => `line ${n}`).sort(),
    );
    assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length);
    for (const { text, stream } of printed)
      assert.equal(stream, Number(text.slice(5)) % 2 === 0 ? 'stdout' : 'stderr', text);
    const [crashed, on] = answer.runs;
    assert.equal(answer.runs.length, 2);
    assert.deepEqual(
      [crashed.exit_code, crashed.exit, crashed.revision, on.finished],
      [3, 'exit code 3', 1, null],
    );
    for (const { text, run } of printed)
      assert.equal(run, Number(text.slice(5)) < 25 ? crashed.id : on.id, text);
    assert.match(answer.note, /nothing older is there/);
    const text = (await host.call('GET', '/programs/paged/logs?tail=all')).json.logs;
    assert.equal(lines.map((line) => `${line.text}\n`).join(''), text, 'the same as the text');
  });

  it('that are followed go on over a crash; who comes back gets what was printed meanwhile', async () => {
    await host.writeManifest('streamed');
    const program = await host.untilState('streamed', 'Ready');
    await print(program, 'one');
    const first = await follow('/programs/streamed/logs?format=json&follow=true');
    await until('the first line came', () => first.texts().includes('one'));
    await print(program, 'two', 1);
    await until('the second line came', () => first.texts().includes('two'));
    await first.close();
    const lastId = first.told.at(-1)?.id;
    await print(program, 'three');
    await host.direct(program, '/crash?code=3', { method: 'POST' }).catch(() => undefined);
    const second = await follow('/programs/streamed/logs?format=json&follow=true', lastId);
    await until('the next run came', () => second.texts().includes('listening on 8080'));
    await host.call('POST', '/programs/streamed/stop');
    await second.reading;
    assert.deepEqual(second.texts().slice(0, 3), ['three', 'crash asked for', 'listening on 8080']);
    assert.equal(second.told.at(-1)?.event, 'end');
    const runs = second.told.filter(({ event }) => event === 'run').map(({ data }) => data.exit_code);
    assert.ok(runs.includes(3), `${runs}`);
    assert.equal(second.told.filter(({ event }) => event === 'gap').length, 0);
  });
});

describe('builds as data', () => {
  it('tell their steps while they go and afterwards, and those before them', async () => {
    const context = await host.writeContext('stepped', 'ENV EXIT=7\nRUN ["/server"]');
    await host.writeManifest('stepped', { build: { context } });
    await host.untilProgram('stepped', 'is known', () => true);
    const stream = follow('/programs/stepped/build-log?format=json&follow=true');
    await host.untilState('stepped', 'Error');
    await (await stream).reading;
    const { told } = await stream;
    assert.equal(told[0]?.event, 'build');
    assert.deepEqual([told.at(-1)?.event, told.at(-1)?.data.outcome], ['done', 'Failed']);
    const { json: failed } = await host.call('GET', '/programs/stepped/build-log?format=json');
    assert.deepEqual([failed.outcome, failed.is_cut, failed.is_damaged], ['Failed', false, false]);
    const step = failed.steps.find(({ error }: { error: string }) => error !== '');
    assert.match(step.name, /RUN \["?\/server/);
    assert.match(step.error, /exit code: 7/);
    assert.ok(step.output.includes('exiting as told by EXIT'), `${step.output}`);
    assert.ok(Date.parse(step.started) <= Date.parse(step.completed), JSON.stringify(step));
    assert.equal(told.filter(({ event }) => event === 'step').length, failed.steps.length);

    await host.writeContext('stepped', 'FOO bar');
    await until('the other one failed', async () => {
      const { json } = await host.call('GET', '/programs/stepped/build-log?format=json');
      return json.build_id !== failed.build_id && json.outcome === 'Failed';
    });
    // BuildKit of Docker 20.10.24 names the line: the third one of the file is the one that was added.
    const { json: odd } = await host.call('GET', '/programs/stepped/build-log?format=json');
    assert.equal(odd.dockerfile_line, 3, odd.error);

    await host.writeContext('stepped', 'ENV A=1');
    await host.untilState('stepped', 'Ready');
    const { json } = await host.call('GET', '/programs/stepped/builds');
    const outcomes = json.builds.map(({ outcome }: { outcome: string }) => outcome);
    assert.deepEqual(outcomes, ['Succeeded', 'Failed', 'Failed']);
    const { json: earlier } = await host.call(
      'GET',
      `/programs/stepped/build-log?format=json&build=${failed.id}`,
    );
    assert.deepEqual(earlier, failed);
    const none = await host.call('GET', '/programs/stepped/build-log?format=json&build=build-ffffffffffff');
    assert.equal(none.status, 404);
    assert.equal((await readdir(host.path('data', 'build-history', 'stepped'))).length, 3);
  });
});
