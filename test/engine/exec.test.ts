import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { createDockerFixture, type DockerFixture } from './docker-fixture.ts';

/** What of commands in a container only a real kernel shows. */

let fixture: DockerFixture;

before(async () => {
  fixture = await createDockerFixture(29100);
});

after(() => fixture?.close());

const never = new AbortController().signal;

for (const runtime of ['runc', 'runsc'] as const) {
  it(`under ${runtime}, a command has no right that the program lacks, and is ended with whoever waits for it`, async () => {
    const engine = fixture.engine();
    const lines = ['COPY busybox /busybox', 'RUN ["/busybox","mkdir","/bin"]'];
    lines.push('RUN ["/busybox","--install","-s","/bin"]', 'USER 1234:1234');
    const { id: image } = await fixture.variant(`shell-${runtime}`, lines.join('\n'));
    const name = `${fixture.run}-exec-${runtime}`;
    const id = await engine.createContainer({
      ...{ program: `exec-${runtime}`, name, image, labels: {}, env: {}, publishPort: fixture.port() },
      ...{ runtime, pids: 1_024, volume: name, volumeLabels: {}, memoryBytes: 64 * 2 ** 20, cpus: 1 },
    });
    assert.equal(await engine.startContainer(id), 'started');
    const run = async (script: string, signal = never, onText = (_: string) => {}) => {
      let text = '';
      for await (const piece of (await engine.exec(id, { command: ['sh', '-c', script], signal })) ?? []) {
        if ('bytes' in piece) text += Buffer.from(piece.bytes).toString('utf8');
        onText(text);
      }
      return text;
    };

    const rights = await run(
      'id -u; grep -E "^(CapPrm|CapEff|CapBnd)" /proc/self/status; touch /x 2>&1 || echo kept',
    );
    assert.match(rights, /^1234\nCapPrm:\s0{16}\nCapEff:\s0{16}\nCapBnd:\s0{16}\ntouch: .*\nkept\n$/);
    // gVisor does not show it.
    if (runtime === 'runc')
      assert.match(await run('grep NoNewPrivs /proc/self/status'), /^NoNewPrivs:\s1\n$/);

    const stop = new AbortController();
    // Deaf to the first signal, and so is what it starts.
    await run('trap "" TERM; echo on; sleep 7654 & sleep 7654', stop.signal, () => stop.abort());
    await fixture.until('they are ended', async () => !(await run('ps')).includes('sleep 7654'));
  });
}
