import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { after, before, it } from 'node:test';
import { type Hershctl, hershctlOf } from './hershctl.ts';
import { createHost, type Host, type Program } from './host.ts';
import { untilEqual } from './until.ts';

/** `hershctl pause`, `resume` and `state`, against a real host and a real engine. */

let host: Host;
let command: Hershctl;

before(async () => {
  host = await createHost('29470-29479');
  command = await hershctlOf(await (await host.start()).url(), host.path());
});

after(() => host?.close());

async function hershctl(...argv: string[]): Promise<string> {
  const { code, out, err } = await command.with({ HERSH_SERVER: await host.child().url() }).run(...argv);
  if (code !== 0) throw new Error(`hershctl ${argv.join(' ')}: ${code}\n${err}`);
  return out;
}

const write = (program: Program, data: string) =>
  host.direct(program, `/write?path=/state/data&data=${data}`);
const read = async (program: Program) => (await host.direct(program, '/read?path=/state/data')).text;

it('a program that is paused is left as somebody leaves it, over a host that is killed, until it is resumed', async () => {
  await host.writeManifest('held');
  await host.untilState('held', 'Ready');
  await hershctl('pause', 'held', '--why', 'its heap');
  const isPaused = (program: Program) => program.conditions.some(({ type }) => type === 'Paused');
  await host.untilProgram('held', 'paused', isPaused);
  const [container] = await host.containers('held');
  await host.docker.getContainer(container?.Id ?? '').kill();
  const down = await host.untilState('held', 'Stopped');
  assert.equal(down.reason, 'Paused');
  await host.kill();
  await host.start();
  await host.untilProgram('held', 'looked at', (program) => program.reason === 'Paused');
  assert.match(await hershctl('get', 'held'), /Stopped +Paused/);
  const { json } = await host.call('GET', '/host');
  assert.deepEqual(
    json.warnings
      .filter(({ code }: { code: string }) => code === 'Paused')
      .map(({ names }: { names: string[] }) => names),
    [['held']],
  );
  await hershctl('resume', 'held');
  const back = await host.untilState('held', 'Ready');
  assert.deepEqual([back.restart_count, back.container_id], [1, container?.Id]);
});

it('a /state goes out of one program and into another, and out of the trash', async () => {
  await host.writeManifest('from');
  await write(await host.untilState('from', 'Ready'), 'precious');
  await assert.rejects(hershctl('state', 'export', 'from', 'early.tar'), /runs \(container/);
  await hershctl('stop', 'from');
  await host.untilState('from', 'Stopped');
  await hershctl('state', 'export', 'from', 'out.tar');

  await host.writeManifest('into');
  await write(await host.untilState('into', 'Ready'), 'other');
  await hershctl('stop', 'into');
  await host.untilState('into', 'Stopped');
  assert.equal(await hershctl('state', 'import', 'into', 'out.tar'), 'into: state replaced\n');
  await hershctl('start', 'into');
  assert.equal(await read(await host.untilState('into', 'Ready')), 'precious');

  await rename(host.path('out.tar'), host.path('first.tar'));
  await hershctl('delete', '--yes', 'from');
  await host.untilGone('from');
  await hershctl('state', 'export', 'from', 'out.tar');
  await host.writeManifest('again', { desiredState: 'Stopped' });
  await host.untilState('again', 'Created');
  await hershctl('state', 'import', 'again', 'out.tar');
  await hershctl('start', 'again');
  assert.equal(await read(await host.untilState('again', 'Ready')), 'precious');
  const left = async () =>
    (
      await host.docker.listContainers({
        all: true,
        filters: { label: [`dev.hersh.helper=${host.instance}`] },
      })
    ).length;
  await untilEqual(left, 0);
});
