import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type Docker from 'dockerode';
import { loosenedOf } from '../../../../controller/engine/docker/floor.ts';
import {
  containerOf,
  createOptions,
  epochMs,
  type ImageConfig,
  isImageReference,
  pullTarget,
  summaryOf,
} from '../../../../controller/engine/docker/translate.ts';
import type { CreateContainer } from '../../../../controller/engine/engine.ts';
import { type ContainerSettings, unreachable } from '../../../../schemas/container.ts';
import { AppError } from '../../../../schemas/errors.ts';

const request: CreateContainer = {
  program: 'ann-1',
  name: 'hersh-program-ann-1',
  image: 'sha256:abc',
  labels: { 'dev.hersh.spec-hash': 'v1:1', 'dev.hersh.build': 'whole', team: 'desk-3' },
  env: { KEY: 'a=b c', EMPTY: '' },
  publishPort: 19005,
  runtime: 'runc',
  memoryBytes: 536_870_912,
  cpus: 0.5,
  pids: 256,
  volume: 'hersh-state-ann-1',
  volumeLabels: {},
};
const plain: ImageConfig = { user: '', volumes: [], labels: {} };
const place = { instance: 'default', network: 'hersh-programs-1', volumeName: (path: string) => `ro${path}` };

const options = (more: Partial<CreateContainer> = {}, image: Partial<ImageConfig> = {}) =>
  createOptions({ ...request, ...more }, { ...plain, ...image }, place);

describe('createOptions', () => {
  it('says the whole security contract', () => {
    assert.deepEqual(options(), {
      name: 'hersh-program-ann-1',
      Image: 'sha256:abc',
      Labels: {
        'dev.hersh.spec-hash': 'v1:1',
        'dev.hersh.build': 'whole',
        team: 'desk-3',
        'dev.hersh.instance': 'default',
        'dev.hersh.program': 'ann-1',
      },
      Env: ['KEY=a=b c', 'EMPTY='],
      Tty: false,
      OpenStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      ExposedPorts: { '8080/tcp': {} },
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: 'hersh-programs-1',
        PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '19005' }] },
        PublishAllPorts: false,
        RestartPolicy: { Name: 'no' },
        Init: true,
        Runtime: 'runc',
        Mounts: [{ Type: 'volume', Source: 'hersh-state-ann-1', Target: '/state', ReadOnly: false }],
        Tmpfs: { '/dev': 'ro,dev,nosuid,noexec,size=64k,mode=755' },
        ReadonlyRootfs: true,
        Privileged: false,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        IpcMode: 'none',
        Memory: 536_870_912,
        MemorySwap: 536_870_912,
        NanoCpus: 500_000_000,
        PidsLimit: 256,
        Devices: [],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      },
      NetworkingConfig: { EndpointsConfig: { 'hersh-programs-1': {} } },
    });
  });

  it('closes /dev/shm and /tmp under gVisor, unless the image has a VOLUME there', () => {
    const tmpfs = (volumes: string[]): unknown =>
      options({ runtime: 'runsc' }, { volumes }).HostConfig?.Tmpfs;
    assert.deepEqual(tmpfs([]), { '/dev/shm': 'ro,size=64k', '/tmp': 'ro,size=64k' });
    assert.deepEqual(tmpfs(['/tmp']), { '/dev/shm': 'ro,size=64k' });
  });

  it('lets no label of ours through from image or request', () => {
    const labels = {
      'dev.hersh.program': 'x',
      'dev.hersh.instance': 'x',
      'dev.hersh.revision': '9',
      other: 'kept',
    };
    const made = options({ labels: { 'dev.hersh.program': 'y', 'dev.hersh.instance': 'y' } }, { labels });
    assert.deepEqual(made.Labels, {
      'dev.hersh.program': 'ann-1',
      'dev.hersh.instance': 'default',
      'dev.hersh.revision': '',
      'dev.hersh.spec-hash': '',
      'dev.hersh.build': '',
    });
  });

  it('mounts VOLUMEs of the image read-only, and /state once', () => {
    const mounts =
      options({}, { volumes: ['/state/', '/data/', '/data', '/a/../b'] }).HostConfig?.Mounts ?? [];
    const seen = mounts.map(({ Target, Source, ReadOnly }) => [Target, Source, ReadOnly]);
    assert.deepEqual(seen, [
      ['/state', 'hersh-state-ann-1', false],
      ['/b', 'ro/b', true],
      ['/data', 'ro/data', true],
    ]);
  });

  for (const volume of [
    '/state/db',
    '/state/../state/x',
    '//state/x/',
    'data',
    './state',
    'state',
    '/',
    '/a/..',
  ]) {
    it(`refuses VOLUME ${volume}, and says what to do`, () => {
      assert.throws(
        () => options({}, { volumes: [volume] }),
        (error) =>
          error instanceof AppError && error.reason === 'StartFailed' && /VOLUME/.test(error.hint ?? ''),
      );
    });
  }

  it('takes /stateful for what it is', () => {
    assert.equal(options({}, { volumes: ['/stateful'] }).HostConfig?.Mounts?.length, 2);
  });
});

describe('containerOf', () => {
  const inspected = {
    Id: 'id1',
    Name: '/hersh-program-ann-1',
    Image: 'sha256:abc',
    Created: '2026-11-22T10:00:00.123456789Z',
    State: {
      Status: 'exited',
      StartedAt: '2026-11-22T10:00:01Z',
      FinishedAt: '0001-01-01T00:00:00Z',
      ExitCode: 137,
      OOMKilled: true,
      Error: '',
    },
    Config: { Labels: { 'dev.hersh.program': 'ann-1' }, Env: ['KEY=a=b', 'EMPTY='] },
    HostConfig: {
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '19005' }] },
      Memory: 2 ** 29,
      NanoCpus: 500_000_000,
      PidsLimit: 256,
      RestartPolicy: { Name: 'no' },
      NetworkMode: 'home',
      Runtime: 'runc',
    },
    NetworkSettings: { Networks: { other: {}, home: {} } },
  };
  const from = (more: object): Docker.ContainerInspectInfo =>
    ({ ...inspected, ...more }) as unknown as Docker.ContainerInspectInfo;

  it('reads what inspect says', () => {
    assert.deepEqual(containerOf(from({})), {
      id: 'id1',
      name: 'hersh-program-ann-1',
      program: 'ann-1',
      state: 'exited',
      labels: { 'dev.hersh.program': 'ann-1' },
      imageId: 'sha256:abc',
      createdAtMs: Date.UTC(2026, 10, 22, 10, 0, 0, 123),
      startedAtMs: Date.UTC(2026, 10, 22, 10, 0, 1),
      finishedAtMs: 0,
      exitCode: 137,
      oomKilled: true,
      oomToldMs: 0,
      startError: '',
      publishPort: 19005,
      servedPort: 0,
      settings: {
        memoryBytes: 2 ** 29,
        memorySwapBytes: 0,
        memoryReservationBytes: 0,
        kernelMemoryBytes: 0,
        cpus: 0.5,
        cpuShares: 0,
        cpuPeriod: 0,
        cpuQuota: 0,
        cpuRealtimePeriod: 0,
        cpuRealtimeRuntime: 0,
        cpusetCpus: '',
        cpusetMems: '',
        blkioWeight: 0,
        pids: 256,
        restartPolicy: 'no',
        network: 'home',
        networks: ['home', 'other'],
      },
      runtime: 'runc',
      env: { KEY: 'a=b', EMPTY: '' },
      stateVolume: '',
      loosened: loosenedOf(from({})),
    });
  });

  it('tells the port that it is published on, of what runs; and that Docker 29.7 has lost port and network', () => {
    const Ports = { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '19005' }] };
    const State = { ...inspected.State, Running: true, Status: 'running' };
    const up = containerOf(from({ State, NetworkSettings: { Networks: { home: {} }, Ports } }));
    assert.deepEqual([up.servedPort, unreachable(up)], [19005, '']);
    const deaf = containerOf(
      from({ State, NetworkSettings: { Networks: { home: {} }, Ports: { '8080/tcp': null } } }),
    );
    assert.deepEqual([deaf.servedPort, unreachable(deaf)], [0, 'its port 19005 is not published']);
    const lost = containerOf(from({ State, NetworkSettings: { Networks: {}, Ports: {} } }));
    assert.equal(unreachable(lost), 'it is not on its network home');
  });

  it('believes an event of want of memory that inspect missed, of this run alone and once it is over', () => {
    const startedAtMs = Date.UTC(2026, 10, 22, 10, 0, 1);
    const of = (running: boolean, toldMs: number): boolean => {
      const State = { ...inspected.State, Running: running, OOMKilled: false };
      return containerOf(from({ State }), toldMs).oomKilled;
    };
    assert.equal(of(false, startedAtMs + 500), true);
    assert.equal(of(false, startedAtMs - 500), false, 'an earlier run');
    assert.equal(of(true, startedAtMs + 500), false, 'it lives');
    assert.equal(of(false, 0), false);
  });

  it('shows all that docker update can change', () => {
    const updates: [Partial<Docker.HostConfig>, Partial<ContainerSettings>][] = [
      [{ Memory: 2 ** 26 }, { memoryBytes: 2 ** 26 }],
      [{ MemorySwap: -1 }, { memorySwapBytes: -1 }],
      [{ MemoryReservation: 2 ** 25 }, { memoryReservationBytes: 2 ** 25 }],
      [{ KernelMemory: 2 ** 24 }, { kernelMemoryBytes: 2 ** 24 }],
      [{ NanoCpus: 2e9 }, { cpus: 2 }],
      [{ CpuShares: 512 }, { cpuShares: 512 }],
      [{ CpuPeriod: 50_000 }, { cpuPeriod: 50_000 }],
      [{ CpuQuota: 20_000 }, { cpuQuota: 20_000 }],
      [{ CpuRealtimePeriod: 1_000_000 }, { cpuRealtimePeriod: 1_000_000 }],
      [{ CpuRealtimeRuntime: 950_000 }, { cpuRealtimeRuntime: 950_000 }],
      [{ CpusetCpus: '0' }, { cpusetCpus: '0' }],
      [{ CpusetMems: '0' }, { cpusetMems: '0' }],
      [{ BlkioWeight: 300 }, { blkioWeight: 300 }],
      [{ PidsLimit: 0 }, { pids: 0 }],
      [{ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } }, { restartPolicy: 'on-failure' }],
    ];
    const { settings } = containerOf(from({}));
    for (const [update, change] of updates) {
      const found = containerOf(from({ HostConfig: { ...inspected.HostConfig, ...update } }));
      assert.deepEqual(found.settings, { ...settings, ...change });
    }
  });

  it('does without labels and ports', () => {
    const found = containerOf(from({ Config: { Labels: null }, HostConfig: { PortBindings: null } }));
    assert.deepEqual([found.program, found.labels, found.publishPort], ['', {}, 0]);
  });
});

describe('summaryOf', () => {
  it('reads a row of the list, one that is being removed too', () => {
    const row = { Id: 'i', Names: null, State: 'removing', Labels: null } as unknown as Docker.ContainerInfo;
    assert.deepEqual(summaryOf(row), { id: 'i', name: '', program: '', state: 'removing', labels: {} });
  });
});

describe('epochMs', () => {
  const table: [string | undefined, number][] = [
    ['0001-01-01T00:00:00Z', 0],
    ['', 0],
    [undefined, 0],
    ['nonsense', 0],
    ['2026-01-01T00:00:00.5Z', Date.UTC(2026, 0, 1, 0, 0, 0, 500)],
    ['2026-01-01T01:00:00+01:00', Date.UTC(2026, 0, 1)],
  ];
  for (const [time, want] of table) it(`${time} is ${want}`, () => assert.equal(epochMs(time), want));
});

describe('image references', () => {
  const good = [
    'nginx',
    'nginx:1.27',
    'a/b',
    'host.example:5000/a/b:c',
    `a@sha256:${'0'.repeat(64)}`,
    'sha256:abc',
  ];
  const bad = [
    '',
    '..',
    '../containers/x',
    'a/../b',
    'a//b',
    'a/',
    '/a',
    'a?b=c',
    'a b',
    'a\nb',
    '-a',
    'ä',
    'a/./b',
  ];
  for (const text of good) it(`${text} is one`, () => assert.equal(isImageReference(text), true));
  for (const text of bad)
    it(`${JSON.stringify(text)} is none`, () => assert.equal(isImageReference(text), false));

  const targets: [string, string, string][] = [
    ['nginx', 'nginx', 'latest'],
    ['nginx:1.27', 'nginx', '1.27'],
    ['host:5000/a', 'host:5000/a', 'latest'],
    ['host:5000/a:b', 'host:5000/a', 'b'],
    ['a:b@sha256:00', 'a:b', 'sha256:00'],
  ];
  for (const [reference, fromImage, tag] of targets) {
    it(`${reference} is pulled as ${fromImage} and ${tag}`, () => {
      assert.deepEqual(pullTarget(reference), { fromImage, tag });
    });
  }
});
