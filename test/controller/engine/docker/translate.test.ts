import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type Docker from 'dockerode';
import { loosenedOf } from '../../../../controller/engine/docker/floor.ts';
import {
  containerOf,
  epochMs,
  holderIn,
  isImageReference,
  pullTarget,
  summaryOf,
} from '../../../../controller/engine/docker/translate.ts';
import { type ContainerSettings, unreachable } from '../../../../schemas/container.ts';

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
    Config: {
      Labels: { 'dev.hersh.program': 'ann-1' },
      Env: ['KEY=a=b', 'EMPTY='],
      Entrypoint: ['/init', '--'],
      Cmd: null,
    },
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
        command: ['/init', '--'],
        args: [],
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

  it('gives what joins a sandbox the port and networks of that, as long as it is in its network', () => {
    const labels = { 'dev.hersh.program': 'ann-1', 'dev.hersh.sandbox-port': '19005' };
    const id = 'b'.repeat(64);
    const HostConfig = { ...inspected.HostConfig, NetworkMode: `container:${id}`, PortBindings: {} };
    const State = { ...inspected.State, Running: true, Status: 'running', StartedAt: '2026-11-22T10:00:05Z' };
    const Config = { ...inspected.Config, Labels: labels };
    const joined = from({ HostConfig, State, Config, NetworkSettings: { Networks: {}, Ports: {} } });
    const Ports = { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '19005' }] };
    const sandbox = (startedAt: string, more: object = {}) =>
      from({
        State: { ...State, StartedAt: startedAt },
        NetworkSettings: { Networks: { home: {} }, Ports },
        ...more,
      });
    assert.equal(holderIn(HostConfig.NetworkMode, labels), id);
    assert.equal(holderIn(HostConfig.NetworkMode, {}), '', 'somebody else joined it');
    assert.equal(holderIn('home', labels), '');

    const whole = containerOf(joined, 0, { id, found: sandbox('2026-11-22T10:00:04Z') });
    assert.deepEqual(
      [whole.publishPort, whole.servedPort, whole.settings.network, whole.settings.networks, whole.sandbox],
      [19005, 19005, 'home', ['home'], { id, state: 'running' }],
    );
    assert.equal(unreachable(whole), '');
    const later = containerOf(joined, 0, { id, found: sandbox('2026-11-22T10:00:06Z') });
    assert.equal(unreachable(later), 'its port 19005 is not published', 'the sandbox was started again');
    const cut = sandbox('2026-11-22T10:00:04Z', { NetworkSettings: { Networks: {}, Ports: {} } });
    assert.match(unreachable(containerOf(joined, 0, { id, found: cut })), /network home/);
    const lost = containerOf(joined, 0, { id });
    assert.deepEqual([lost.publishPort, lost.servedPort, lost.sandbox?.state], [19005, 0, 'gone']);
    assert.equal(unreachable(lost), 'its network sandbox is gone');
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
    const bare = { id: 'i', name: '', program: '', state: 'removing', servedPort: 0, labels: {} };
    assert.deepEqual(summaryOf(row), bare);
    const Ports = [{ PrivatePort: 9090 }, { PrivatePort: 8080, PublicPort: 19005 }];
    assert.equal(summaryOf({ ...row, Ports } as Docker.ContainerInfo).servedPort, 19005);
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
