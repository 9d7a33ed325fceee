import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { IMAGE_VOLUME_LABEL } from '../../controller/engine/docker/hardening.ts';
import type { CreateContainer, Engine } from '../../controller/engine/engine.ts';
import { LABELS, type Runtime } from '../../schemas/program.ts';
import { rejects } from './contract-kit.ts';
import { createDockerFixture, type DockerFixture } from './docker-fixture.ts';

/** What a program sees from inside, on the real engine: section 3 of the contract. */

const MEMORY_BYTES = 96 * 1024 * 1024;

let fixture: DockerFixture;
let engine: Engine;
let count = 0;

before(async () => {
  fixture = await createDockerFixture(29100);
  engine = fixture.engine();
});

after(() => fixture?.close());

interface Running {
  id: string;
  port: number;
  request: CreateContainer;
  get(path: string): Promise<string>;
  /** `ok`, or the name of the error. */
  write(path: string, data?: string): Promise<string>;
}

function asked(more: Partial<CreateContainer>): CreateContainer {
  count += 1;
  const name = `${fixture.run}-s${count}`;
  const base = {
    program: `s${count}`,
    name,
    image: fixture.image,
    volume: name,
    publishPort: fixture.port(),
  };
  const limits = { memoryBytes: MEMORY_BYTES, cpus: 0.5, pids: more.runtime === 'runsc' ? 1024 : 40 };
  return { ...base, ...limits, runtime: 'runc', labels: {}, env: {}, volumeLabels: {}, ...more };
}

async function run(more: Partial<CreateContainer> = {}): Promise<Running> {
  const request = asked(more);
  const id = await engine.createContainer(request);
  assert.equal(await engine.startContainer(id), 'started');
  const port = request.publishPort;
  const get = (path: string): Promise<string> => fixture.get(port, path);
  const write = (path: string, data = 'x'): Promise<string> =>
    get(`/write?path=${encodeURIComponent(path)}&data=${encodeURIComponent(data)}`);
  return { id, port, request, get, write };
}

/** The container whose network a program is in, as inspect shows it. */
async function networkOf(id: string) {
  const found = await fixture.docker.getContainer(id).inspect();
  const holder = /^container:(.*)$/.exec(found.HostConfig.NetworkMode ?? '')?.[1];
  return holder === undefined ? found : fixture.docker.getContainer(holder).inspect();
}

async function addressOf(id: string): Promise<string> {
  const { NetworkSettings: settings } = await networkOf(id);
  return Object.values(settings.Networks)[0]?.IPAddress ?? '';
}

/** What a command prints that is run in a container. */
async function inside(id: string, command: string): Promise<string> {
  const exec = await fixture.docker
    .getContainer(id)
    .exec({ Cmd: command.split(' '), AttachStdout: true, AttachStderr: true });
  let text = '';
  for await (const piece of await exec.start({})) text += Buffer.from(piece as Uint8Array).toString('latin1');
  return text;
}

/** An init that is no part of the engine; Debian's `tini`, which its engine depends on. */
const tini = async () => ({ tini: await readFile('/usr/bin/tini-static') });

for (const runtime of ['runc', 'runsc'] as const) describeRuntime(runtime);
describeRuntime('runc', true);

function describeRuntime(runtime: Runtime, sandboxed = false): void {
  const place = { runtime, sandboxed };
  describe(`a program under ${runtime}${sandboxed ? ' in a network sandbox' : ''}`, () => {
    it('can write to /state and nowhere else', async () => {
      const program = await run({ ...place });
      assert.equal(await program.write('/state/kept', 'across restarts'), 'ok');
      assert.equal(await program.get('/read?path=/state/kept'), 'across restarts');
      // gVisor can not open /dev/null for writing on a read-only /dev; its /dev is memory of the sandbox.
      const closed = ['/', '/tmp', '/dev/shm', '/etc', '/sys', '/proc', '/proc/sys/kernel', '/dev/mqueue'];
      if (runtime === 'runc') closed.push('/dev', '/dev/pts');
      for (const folder of closed) assert.notEqual(await program.write(`${folder}/x`), 'ok', folder);
      for (const file of ['/etc/hosts', '/etc/resolv.conf', '/etc/hostname', '/proc/sys/kernel/hostname']) {
        assert.notEqual(await program.write(file), 'ok', file);
      }
      assert.equal(await program.write('/dev/null'), 'ok', 'the usual devices work');
    });

    it('has no capabilities and can gain none', async () => {
      const status = await (await run({ ...place })).get('/read?path=/proc/self/status');
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd']) {
        assert.match(status, new RegExp(`^${set}:\\s+0+$`, 'm'), set);
      }
      // gVisor filters system calls by being the kernel, and tells of neither flag.
      if (runtime === 'runsc') return;
      assert.match(status, /^CapAmb:\s+0+$/m);
      assert.match(status, /^NoNewPrivs:\s+1$/m);
      assert.match(status, /^Seccomp:\s+2$/m);
    });

    it('is limited, isolated and published as asked, whatever the image says', async () => {
      const lines = `EXPOSE 9999\nHEALTHCHECK CMD ["/server"]\nLABEL ${LABELS.program}=other ${LABELS.revision}=9 ${LABELS.instance}=theirs plain=kept`;
      const { id: image } = await fixture.variant(`bold-${runtime}-${sandboxed}`, lines);
      const program = await run({ ...place, image });
      const {
        HostConfig: host,
        State,
        Config,
        Mounts,
      } = await fixture.docker.getContainer(program.id).inspect();
      assert.equal(host.Memory, MEMORY_BYTES);
      assert.equal(host.MemorySwap, MEMORY_BYTES, 'no swap on top');
      assert.equal(host.NanoCpus, 5e8);
      assert.equal(host.PidsLimit, program.request.pids);
      assert.equal(host.Runtime, runtime);
      assert.equal(host.IpcMode, 'none');
      assert.equal(host.Privileged, false);
      assert.equal(host.PidMode, '');
      assert.equal(host.UTSMode, '');
      assert.equal(host.RestartPolicy?.Name, 'no');
      assert.equal(host.Init, true, "the engine's init is pid 1");
      assert.deepEqual(host.Devices ?? [], []);
      assert.deepEqual(host.Binds ?? [], []);
      assert.deepEqual(host.CapAdd ?? [], []);
      assert.deepEqual(host.LogConfig, { Type: 'json-file', Config: { 'max-file': '3', 'max-size': '10m' } });
      assert.deepEqual(
        Mounts.map(({ Destination }) => Destination),
        ['/state'],
      );
      assert.equal(State.Health, undefined, 'no health check of the image runs');
      const { NetworkSettings } = await networkOf(program.id);
      const published = Object.entries(NetworkSettings.Ports).filter(([, bindings]) => bindings !== null);
      assert.deepEqual(published, [['8080/tcp', [{ HostIp: '127.0.0.1', HostPort: String(program.port) }]]]);
      assert.equal(Config.Labels[LABELS.program], program.request.program);
      assert.equal(Config.Labels[LABELS.instance], fixture.run);
      assert.equal(Config.Labels[LABELS.revision], '');
      assert.equal(Config.Labels.plain, 'kept');
    });

    // 20.10.24 with tini 0.19, runc 1.1.5; an image without a handler for SIGTERM took its whole grace before.
    it('has its orphans reaped and ends at SIGTERM without a handler, also with an init of its own', async () => {
      const orphan = "/busybox sh -c '/busybox true & exit 0'";
      const done = '/busybox touch /state/orphaned';
      const command = `["/busybox","sh","-c","for i in 1 2 3; do ${orphan}; done; ${done}; exec /busybox sleep 10000"]`;
      for (const init of ['', '"/tini","--"']) {
        const lines = `COPY busybox /busybox\nCOPY --chmod=755 tini /tini\nENTRYPOINT [${init}]\nCMD ${command}`;
        const { id: image } = await fixture.variant(
          `orphans-${runtime}-${sandboxed}-${init.length}`,
          lines,
          await tini(),
        );
        const { id } = await run({ ...place, image });
        const container = fixture.docker.getContainer(id);
        await fixture.until('its orphans have ended', async () =>
          (await inside(id, '/busybox ls /state')).includes('orphaned'),
        );
        await fixture.until(
          'no zombie is left',
          async () => !/ Z/.test(await inside(id, '/busybox ps -o pid,stat')),
        );
        await engine.stopContainer(id, 60);
        // SIGKILL would make it 137.
        assert.equal((await container.inspect()).State.ExitCode, 143, init);
      }
    });

    it('answers on 127.0.0.1 alone', async () => {
      const program = await run({ ...place });
      await program.get('/');
      for (const address of otherAddresses()) {
        await assert.rejects(fetch(`http://${address}:${program.port}/`), `${address} must not answer`);
      }
    });

    it('reaches no other program, neither by address nor by a published port', async () => {
      const [one, two] = [await run({ ...place }), await run({ ...place })];
      const [here, there] = [await addressOf(one.id), await addressOf(two.id)];
      const { IPAM: ipam } = await fixture.docker.getNetwork(`${fixture.run}-hersh-programs-1`).inspect();
      const gateway = ipam?.Config?.[0]?.Gateway ?? '';
      await two.get('/');
      const reach = (host: string, port: number): Promise<string> =>
        one.get(`/connect?host=${host}&port=${port}`);
      assert.equal(await reach(here, 8080), 'ok', 'it reaches itself, so the question is a fair one');
      assert.notEqual(await reach(there, 8080), 'ok', 'the address of the other');
      for (const address of [gateway, ...otherAddresses()]) {
        assert.notEqual(await reach(address, two.port), 'ok', `${address}, where the other is published`);
      }
    });
  });
}

describe('limits', () => {
  it('hold inside: the kernel counts memory and processes', async () => {
    const program = await run();
    const first = async (...paths: string[]): Promise<string> => {
      for (const path of paths) {
        const text = await program.get(`/read?path=${path}`);
        if (/^\d+\s*$/.test(text)) return text.trim();
      }
      return '';
    };
    const memory = await first('/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes');
    assert.equal(memory, String(MEMORY_BYTES));
    assert.equal(await first('/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max'), '40');
  });
});

describe('VOLUMEs of an image', () => {
  /** Volumes in place of them. */
  const standIns = async () => {
    const filters = { label: [`${IMAGE_VOLUME_LABEL}=${fixture.run}`] };
    return (await fixture.docker.listVolumes({ filters })).Volumes ?? [];
  };

  it('are readable, never writable, and leave nothing behind', async () => {
    const lines = 'COPY seed /data/seed\nVOLUME ["/data", "/cache/deep/", "/state"]';
    const { id: image } = await fixture.variant('volumes', lines, { seed: 'from the image' });
    for (const runtime of ['runc', 'runsc'] as const) {
      const program = await run({ image, runtime });
      assert.equal(await program.get('/read?path=/data/seed'), 'from the image');
      assert.notEqual(await program.write('/data/x'), 'ok');
      assert.notEqual(await program.write('/cache/deep/x'), 'ok');
      assert.equal(await program.write('/state/x'), 'ok');
      await engine.removeContainer(program.id);
    }
    assert.deepEqual(await standIns(), []);
  });

  it('inside one another are as the image has them, where it has a folder there and where it has none', async () => {
    const lines =
      'COPY seed /data/sub/seed\nVOLUME ["/data", "/data/sub", "/data/none/deep", "/far", "/far/off"]';
    const { id: image } = await fixture.variant('nested', lines, { seed: 'from the image' });
    const program = await run({ image });
    assert.equal(await program.get('/read?path=/data/sub/seed'), 'from the image');
    for (const folder of ['/data', '/data/sub', '/data/none/deep', '/far', '/far/off'])
      assert.notEqual(await program.write(`${folder}/x`), 'ok', folder);
    assert.equal(await program.write('/state/x'), 'ok');
    await engine.removeContainer(program.id);
    assert.deepEqual(await standIns(), []);
  });

  /** With a shell to make links by, which a base from nothing has not. */
  const linked = (name: string, link: string, volume: string) =>
    fixture.variant(
      name,
      `COPY busybox /busybox\nRUN ["/busybox","sh","-c","${link}"]\nVOLUME ["${volume}"]`,
    );

  it('that are links to /state, or lead over one, are refused and leave nothing behind', async () => {
    const cases: [name: string, link: string, volume: string][] = [
      ['link', '/busybox ln -s /state /data', '/data'],
      ['relative', '/busybox ln -s state /data', '/data'],
      ['below', '/busybox mkdir /deep && /busybox ln -s ../state/db /deep/data', '/deep/data'],
      ['over', '/busybox ln -s /state /data', '/data/db'],
      ['twice', '/busybox ln -s /state /one && /busybox ln -s /one /two', '/two'],
    ];
    for (const [name, link, volume] of cases) {
      const { id: image } = await linked(`link-${name}`, link, volume);
      const request = asked({ image });
      await rejects(engine.createContainer(request), 'StartFailed', `VOLUME ${volume} is a link to /state`);
      assert.deepEqual(await engine.listContainers(request.program), []);
    }
    assert.deepEqual(await standIns(), []);
  });

  it('leave nothing behind where the container is refused', async () => {
    const { id: image } = await fixture.variant('refused', 'VOLUME /data');
    const request = asked({ image, runtime: 'none-of-that-name' as Runtime });
    await rejects(engine.createContainer(request), 'StartFailed');
    assert.deepEqual(await standIns(), []);
  });

  it('leave nothing behind where the engine can not lay them over what the image has there', async () => {
    const { id: image } = await fixture.variant(
      'over-a-file',
      'COPY seed /data\nVOLUME ["/cache", "/data", "/more"]',
      {
        seed: 'a file',
      },
    );
    for (let tries = 0; tries < 2; tries++) {
      await rejects(engine.createContainer(asked({ image })), 'StartFailed');
      assert.deepEqual(await standIns(), []);
    }
  });

  it('that are links to elsewhere are mounted there', async () => {
    const link = '/busybox mkdir /there && /busybox ln -s /there /here';
    const { id: image } = await linked('link-elsewhere', link, '/here');
    const program = await run({ image });
    for (const folder of ['/here', '/there'])
      assert.notEqual(await program.write(`${folder}/x`), 'ok', folder);
    assert.equal(await program.write('/state/x'), 'ok');
  });

  it('that are no paths from the root are refused', async () => {
    const { id: image } = await fixture.variant('no-root', 'VOLUME data');
    await rejects(engine.createContainer(asked({ image })), 'StartFailed', 'VOLUME data');
  });

  it('are refused inside /state', async () => {
    const { id: image } = await fixture.variant('inside', 'VOLUME /state/db');
    const request = asked({ image });
    await rejects(engine.createContainer(request), 'StartFailed', '/state/db');
    assert.deepEqual(await engine.listContainers(request.program), []);
  });
});

describe('/state of an image whose USER is not root', () => {
  const bare = 'FROM scratch\nCOPY --from=hersh-test/server /server /server\n';
  const accounts = {
    passwd: 'root:x:0:0::/:/bin/sh\napp:x:1234:1235::/:/bin/sh\n',
    group: 'root:x:0:\napp:x:1235:\nstaff:x:50:\n',
  };
  const users: [name: string, dockerfile: string, uid: string][] = [
    ['a number, no /state', `${bare}USER 1234\n`, '1234:0'],
    ['two numbers', `${bare}USER 1234:4321\n`, '1234:4321'],
    ['a name', `${bare}COPY passwd group /etc/\nUSER app\n`, '1234:1235'],
    ['a name and a group', `${bare}COPY passwd group /etc/\nUSER app:staff\n`, '1234:50'],
    ['a number that passwd knows', `${bare}COPY passwd group /etc/\nUSER 1234\n`, '1234:1235'],
    ["root's /state", 'FROM hersh-test/server\nUSER 1234:1234\n', '1234:1234'],
    ['its own /state', `${bare}COPY --chown=77:77 passwd /state/seed\nUSER 77:77\n`, '77:77'],
  ];

  for (const [index, [name, dockerfile, uid]] of users.entries()) {
    it(`is its own: ${name}`, async () => {
      const { id: image } = await engine.build(
        {
          context: fixture.context(`${dockerfile}CMD ["/server"]\n`, accounts),
          dockerfile: 'Dockerfile',
          args: {},
          tag: fixture.tag(`user-${index}`),
          labels: {},
        },
        () => {},
        new AbortController().signal,
      );
      const program = await run({ image });
      assert.equal(await program.get('/uid'), uid);
      assert.equal(await program.write('/state/x'), 'ok');
      assert.notEqual(await program.write('/x'), 'ok');
    });
  }

  it('is its own under gVisor too', async () => {
    const { id: image } = await fixture.variant('user-gvisor', 'USER 1234:1234');
    const program = await run({ image, runtime: 'runsc' });
    assert.equal(await program.write('/state/x'), 'ok');
  });

  it('is given while it is empty, also where an earlier try died in between', async () => {
    const { id: image } = await fixture.variant('user-late', 'USER 1234:1234');
    const request = asked({ image });
    // A volume and a helper as a host leaves them that dies before it gives the volume away.
    await fixture.docker.createVolume({ Name: request.volume, Labels: { [LABELS.instance]: fixture.run } });
    const program = await run(request);
    assert.equal(await program.write('/state/x'), 'ok');
  });

  it('is left alone once it holds data', async () => {
    const first = await run();
    assert.equal(await first.write('/state/of-root'), 'ok');
    await engine.removeContainer(first.id);
    const { id: image } = await fixture.variant('user-other', 'USER 1234:1234');
    const second = await run({ image, volume: first.request.volume });
    assert.equal(await second.get('/read?path=/state/of-root'), 'x');
    assert.notEqual(await second.write('/state/of-root'), 'ok');
  });
});

/** This machine's addresses besides loopback. */
function otherAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
}
