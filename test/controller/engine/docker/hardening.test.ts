import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createOptions, type ImageConfig } from '../../../../controller/engine/docker/hardening.ts';
import type { CreateContainer } from '../../../../controller/engine/engine.ts';
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
const owner = { instance: 'default', registry: '0123456789ab', path: '/srv/registry' };
const place = { owner, network: 'hersh-programs-1', volumeName: (path: string) => `ro${path}` };

const options = (more: Partial<CreateContainer> = {}, image: Partial<ImageConfig> = {}) =>
  createOptions({ ...request, ...more }, { ...plain, ...image }, place);

describe('createOptions', () => {
  it("give the engine a command and args in its words, and the image's own where there are none", () => {
    const words = ({ Entrypoint, Cmd }: object & { Entrypoint?: unknown; Cmd?: unknown }) => [
      Entrypoint,
      Cmd,
    ];
    assert.deepEqual(words(options()), [undefined, undefined]);
    assert.deepEqual(words(options({ command: ['a', 'b'] })), [['a', 'b'], undefined]);
    assert.deepEqual(words(options({ args: ['c'] })), [undefined, ['c']]);
    assert.deepEqual(words(options({ command: ['a'], args: ['c'] })), [['a'], ['c']]);
  });

  it('says the whole security contract', () => {
    assert.deepEqual(options(), {
      name: 'hersh-program-ann-1',
      Image: 'sha256:abc',
      Labels: {
        'dev.hersh.spec-hash': 'v1:1',
        'dev.hersh.build': 'whole',
        team: 'desk-3',
        'dev.hersh.instance': 'default',
        'dev.hersh.registry': '0123456789ab',
        'dev.hersh.registry-path': '/srv/registry',
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

  it('differs in a sandbox by its network alone, and by the port that it is reached by there', () => {
    const network = `container:${'b'.repeat(64)}`;
    const { HostConfig, Labels, ...joined } = createOptions(request, plain, { ...place, network });
    const { ExposedPorts, NetworkingConfig, ...own } = options();
    const { PortBindings, ...kept } = own.HostConfig ?? {};
    assert.deepEqual(HostConfig, { ...kept, NetworkMode: network });
    assert.deepEqual(Labels, { ...own.Labels, 'dev.hersh.sandbox-port': String(request.publishPort) });
    assert.deepEqual({ ...joined, HostConfig: kept, Labels: own.Labels }, { ...own, HostConfig: kept });
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
      'dev.hersh.registry': 'x',
      'dev.hersh.revision': '9',
      other: 'kept',
    };
    const made = options({ labels: { 'dev.hersh.program': 'y', 'dev.hersh.instance': 'y' } }, { labels });
    assert.deepEqual(made.Labels, {
      'dev.hersh.program': 'ann-1',
      'dev.hersh.instance': 'default',
      'dev.hersh.registry': '0123456789ab',
      'dev.hersh.registry-path': '/srv/registry',
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
