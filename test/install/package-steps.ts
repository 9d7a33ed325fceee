import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ROOT } from '../setup/host-settings.ts';
import type { Say } from '../setup/say.ts';
import type { Machine } from './machine.ts';

/** The package on a machine that has no host, and two programs on it. */
export async function installed(say: Say, machine: Machine, deb: string, version: string): Promise<void> {
  say(`apt-get install of ${version}`);
  await machine.copyIn(deb, '/srv/');
  await machine.run(`apt-get install -y /srv/${nameOf(deb)}`);
  await isHealthy(machine);
  assert.equal(await machine.run('systemctl show hersh-host -p User --value'), 'hersh-host');
  assert.equal(
    await machine.run('stat -c %U /proc/$(systemctl show hersh-host -p MainPID --value)'),
    'hersh-host',
  );
  // Bit 12 is CAP_NET_ADMIN, and there is no other.
  const caps = await machine.run(
    'grep -E "^Cap(Eff|Bnd)" /proc/$(systemctl show hersh-host -p MainPID --value)/status',
  );
  assert.match(caps, /^CapEff:\t0{12}1000\nCapBnd:\t0{12}1000$/);
  assert.match(await machine.run('systemctl is-enabled hersh-host'), /^enabled$/);
  say(await machine.run('hershctl version'));

  say('hershctl doctor, and two programs by hershctl deploy');
  say(await machine.run('hershctl doctor'));
  await machine.copyIn(join(ROOT, 'examples', 'counter'), '/srv/counter');
  for (const name of ['counter', 'other'])
    await machine.run(`hershctl deploy /srv/counter --name ${name} --user ana`);
  assert.equal(await count(machine, 'counter', 3), 3);
  assert.equal(await count(machine, 'other', 1), 1);
}

/** There and back while programs run, and what a supervisor is for. */
export async function upgraded(
  say: Say,
  machine: Machine,
  debs: { old: string; next: string },
  versions: { old: string; next: string },
): Promise<void> {
  const before = await runsOf(machine);
  await machine.copyIn(debs.next, '/srv/');
  for (const [version, deb, flag] of [
    [versions.next, debs.next, ''],
    [versions.old, debs.old, '--allow-downgrades'],
    [versions.next, debs.next, ''],
  ] as const) {
    say(`apt-get install of ${version} over the other, with two programs running`);
    await machine.run(`apt-get install -y ${flag} /srv/${nameOf(deb)}`);
    await isHealthy(machine);
    await machine.until(
      'the host is of that version',
      'hershctl version',
      new RegExp(`^.*host.*${version}`, 'im'),
    );
    await machine.run('hershctl wait counter other --for=Ready --timeout 300s');
    assert.equal(await runsOf(machine), before, 'no program was started again');
  }

  say('The host is killed: systemd starts it again, and programs run on');
  const killed = await machine.run('systemctl show hersh-host -p MainPID --value');
  await machine.run(`kill -9 ${killed}`);
  await machine.until(
    'another process is the host',
    `pid=$(systemctl show hersh-host -p MainPID --value); test "$pid" != ${killed} && test "$pid" != 0`,
  );
  await isHealthy(machine);
  assert.equal(await runsOf(machine), before);

  say('A program crashes while no host runs: the next host starts it');
  const container = await containerOf(machine, 'counter');
  await machine.run('systemctl stop hersh-host');
  const away = await machine.attempt('hershctl get');
  assert.equal(away.code, 3, away.output);
  await machine.run(`docker kill ${container}`);
  await machine.run('systemctl start hersh-host');
  await machine.until('it is Ready again', 'hershctl get counter', /Ready/);
  assert.equal(await count(machine, 'counter', 0), 3, 'it kept its /state');
}

/** Nothing that people made goes with the package. */
export async function removed(say: Say, machine: Machine): Promise<void> {
  say('apt-get remove, and purge: programs and registry are left');
  const before = await runsOf(machine);
  await machine.run('apt-get remove -y hersh-host');
  assert.equal(await runsOf(machine), before);
  const purged = await machine.run('apt-get purge -y hersh-host');
  assert.match(purged, /the registry in \/var\/lib\/hersh-host is left/);
  assert.match(await machine.run('ls /var/lib/hersh-host/registry/programs'), /counter\.yaml/);
}

export async function isHealthy(machine: Machine): Promise<void> {
  await machine.until('the host is ready', 'curl -fsS http://127.0.0.1:9000/readyz');
}

/** Counts so many times. @returns the count then */
export async function count(machine: Machine, name: string, times: number): Promise<number> {
  const url = `http://127.0.0.1:9000/programs/${name}/proxy/count`;
  for (let at = 0; at < times; at++) await machine.run(`curl -fsS -X POST ${url}`);
  return (JSON.parse(await machine.run(`curl -fsS ${url}`)) as { count: number }).count;
}

/** Containers and when they were started: what a restart would change. */
function runsOf(machine: Machine): Promise<string> {
  return machine.run(
    `docker ps -q --no-trunc | sort | xargs -r docker inspect -f '{{.Name}} {{.Id}} {{.State.StartedAt}}'`,
  );
}

function containerOf(machine: Machine, name: string): Promise<string> {
  return machine.run(
    `curl -fsS http://127.0.0.1:9000/programs/${name} | grep -o '"container_id":"[^"]*' | cut -d'"' -f4`,
  );
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
