import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fetch } from 'undici';
import { TEST_IMAGE } from '../setup/test-image.ts';
import { createHost, type Host, manifestText, type Program } from './host.ts';
import { until } from './until.ts';

/** What a manifest says of a container, as the engine has it; and what the container prints, as the API gives it. */

let host: Host;

before(async () => {
  host = await createHost('29680-29689');
  await host.start();
});

after(() => host?.close());

const inspect = ({ container_id }: Program) => host.docker.getContainer(container_id).inspect();

describe('a container', () => {
  it("carries the manifest's labels beside ours", async () => {
    const labels = { team: 'desk-3', 'example.org/tier': 'gold', empty: '' };
    const text = manifestText('labelled').replace(
      '{name: labelled}',
      JSON.stringify({ name: 'labelled', labels }),
    );
    await host.writeFile('programs/labelled.yaml', text);
    const { Config: config } = await inspect(await host.untilState('labelled', 'Ready'));
    for (const [key, value] of Object.entries(labels)) assert.equal(config.Labels[key], value, key);
    assert.equal(config.Labels['dev.hersh.program'], 'labelled');
    assert.equal(config.Labels['dev.hersh.instance'], host.instance);
  });

  it('is made of an image that is named by its id, which is not pulled', async () => {
    const { Id: image } = await host.docker.getImage(TEST_IMAGE).inspect();
    await host.writeManifest('by-id', { image });
    const program = await host.untilState('by-id', 'Ready');
    assert.equal(program.image_id, image);
    assert.equal((await inspect(program)).Image, image);
    assert.equal((await host.direct(program, '/watcher/status')).status, 200);
    const reasons = (await host.events('by-id')).map(({ reason }) => reason);
    assert.equal(reasons.includes('Pulling'), false);
  });

  it("runs command and args in the place of the image's ENTRYPOINT and CMD", async () => {
    const lines = 'ENTRYPOINT ["/server", "entry"]\nCMD ["cmd"]';
    const build = { context: await host.writeContext('words', lines) };
    const words: [string, object, string[]][] = [
      ['words-own', {}, ['/server', 'entry', 'cmd']],
      ['words-args', { args: ['a b', '', '$HOME'] }, ['/server', 'entry', 'a b', '', '$HOME']],
      ['words-command', { command: ['/server', 'mine'] }, ['/server', 'mine']],
      ['words-both', { command: ['/server'], args: ['c'] }, ['/server', 'c']],
    ];
    await Promise.all(words.map(([name, more]) => host.writeManifest(name, { build, ...more })));
    for (const [name, , wanted] of words) {
      const program = await host.untilState(name, 'Ready');
      const { text } = await host.direct(program, '/read?path=/proc/self/cmdline');
      assert.deepEqual(text.split('\0').slice(0, -1), wanted, name);
      // The file has ten ports for all its programs.
      await host.call('DELETE', `/programs/${name}`);
    }
  });

  it('is Ready by an answer that is expected of it, to a probe with headers', async () => {
    const probe = { path: '/redirect', periodSeconds: 0.2, headers: { Host: 'app.example' } };
    await host.writeManifest('expecting', { readiness: probe });
    const { container_id } = await host.untilProgram('expecting', 'answers', ({ conditions }) =>
      conditions.some(({ message }) => message.includes('GET /redirect answered 302')),
    );
    await host.writeManifest('expecting', { readiness: { ...probe, expect: [200, '300-399'] } });
    assert.equal((await host.untilState('expecting', 'Ready')).container_id, container_id);
    await host.call('DELETE', '/programs/expecting');
  });

  it('of an image id that is not on this machine is not looked for elsewhere', async () => {
    await host.writeManifest('no-id', { image: `sha256:${'0'.repeat(64)}` });
    const { error_msg } = await host.untilError('no-id', 'ImageNotFound');
    assert.match(error_msg, /can only be local/);
  });
});

describe('logs', () => {
  const logs = async (name: string, query = ''): Promise<string> =>
    (await host.call('GET', `/programs/${name}/logs${query}`)).json.logs;

  /** Has the program print a line, and waits until it can be read. */
  async function print(program: Program, text: string, stream: 'out' | 'err' = 'out'): Promise<void> {
    await host.direct(program, `/log?text=${encodeURIComponent(text)}&err=${stream === 'err' ? 1 : 0}`);
    await until(`${text} is printed`, async () => (await logs(program.program_id)).includes(`${text}\n`));
  }

  it('are the last lines where tail says how many, both streams in order', async () => {
    await host.writeManifest('tailed');
    const program = await host.untilState('tailed', 'Ready');
    for (let n = 1; n <= 5; n++) await print(program, `line ${n}`, n % 2 === 0 ? 'err' : 'out');
    assert.equal(await logs('tailed', '?tail=2'), 'line 4\nline 5\n');
    assert.equal(await logs('tailed', '?tail=0'), '');
    const all = 'listening on 8080\nline 1\nline 2\nline 3\nline 4\nline 5\n';
    assert.equal(await logs('tailed', '?tail=all'), all);
    const { json } = await host.call('GET', '/programs/tailed/logs');
    assert.deepEqual([json.logs, json.container_id], [all, program.container_id]);
  });

  it('are those since a time, in each form it may have', async () => {
    await host.writeManifest('timed');
    const program = await host.untilState('timed', 'Ready');
    await print(program, 'before');
    const since = Date.now() + 1;
    await until('a moment has passed', () => Date.now() > since);
    await print(program, 'after');
    const iso = new Date(since).toISOString();
    assert.equal(await logs('timed', `?since=${iso}`), 'after\n');
    assert.equal(await logs('timed', `?since=${iso.replace('Z', encodeURIComponent('+00:00'))}`), 'after\n');
    assert.equal(await logs('timed', `?since=${since / 1000}`), 'after\n');
    assert.equal(await logs('timed', '?since=1h'), 'listening on 8080\nbefore\nafter\n');
    assert.equal(await logs('timed', '?since=1h&tail=1'), 'after\n');
    assert.equal(await logs('timed', `?since=${new Date(since + 3_600_000).toISOString()}`), '');
  });

  it('polled from timestamp to timestamp are all of them, each once', async () => {
    await host.writeManifest('polled');
    const program = await host.untilState('polled', 'Ready');
    const first = (await host.call('GET', '/programs/polled/logs')).json;
    const wanted = Array.from({ length: 40 }, (_, n) => `line ${n}\n`);
    const printing = (async () => {
      for (const [n, line] of wanted.entries())
        await host.direct(program, `/log?text=${encodeURIComponent(line.trim())}&err=${n % 2}`);
    })();
    let [text, timestamp] = [first.logs, first.timestamp];
    await until('the last line was read', async () => {
      const { json } = await host.call('GET', `/programs/polled/logs?since=${timestamp}`);
      [text, timestamp] = [text + json.logs, json.timestamp];
      return text.includes(wanted.at(-1));
    });
    await printing;
    assert.deepEqual(text.match(/^line .*\n/gm)?.toSorted(), wanted.toSorted());
    const timed = await logs('polled', '?timestamps=true&tail=1');
    // Docker's own form, by engine 20.10 to 28.5.
    assert.match(timed, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z line \d+\n$/);
  });

  it('that are followed go on over a crash, with a line between, and previous=true is the run before', async () => {
    await host.writeManifest('crossed');
    const program = await host.untilState('crossed', 'Ready');
    await print(program, 'before the crash');
    const url = `${await host.child().url()}/programs/crossed/logs?follow=true`;
    const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    let text = '';
    const reading = (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    })();
    await until('the first line came', () => text.includes('before the crash\n'));
    await host.direct(program, '/crash?code=3', { method: 'POST' }).catch(() => undefined);
    await until('the next run came', () => /listening[\s\S]*\n--- .*\nlistening on 8080\n/.test(text));
    assert.match(
      text,
      /^--- that run has ended \(exit code 3\); the next one is since .* in container \w{12}$/m,
    );
    const before = (await host.call('GET', '/programs/crossed/logs?previous=true')).json;
    assert.equal(before.container_id, program.container_id);
    assert.match(before.logs, /^listening on 8080\nbefore the crash\n/);
    assert.equal(before.logs.match(/listening/g)?.length, 1);
    await host.call('POST', '/programs/crossed/stop');
    await reading;
  });

  it('that are followed come as they are printed, and end when it is stopped', async () => {
    await host.writeManifest('followed');
    const program = await host.untilState('followed', 'Ready');
    await print(program, 'first');
    const url = `${await host.child().url()}/programs/followed/logs?follow=true&tail=1`;
    const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    assert.ok(response.body);
    let text = '';
    const reading = (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    })();
    await until('the last line came', () => text === 'first\n');
    await print(program, 'second');
    await until('the next came', () => text === 'first\nsecond\n');
    await print(program, 'third', 'err');
    await until('and the other stream', () => text === 'first\nsecond\nthird\n');
    await host.call('POST', '/programs/followed/stop');
    await reading;
    assert.match(text, /^first\nsecond\nthird\n/);
    await host.untilState('followed', 'Stopped');
    assert.match(await logs('followed'), /^listening on 8080\nfirst\nsecond\nthird\n/, 'they stay');
  });
});
