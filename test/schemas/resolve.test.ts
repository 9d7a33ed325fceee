import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normaliseFolder, parseMemory, resolveSpec, writtenOut } from '../../schemas/resolve.ts';
import { validateManifest } from '../../schemas/validate.ts';

test('the defaults are those of the contract', () => {
  assert.deepEqual(resolveSpec({ userId: 'u', build: { context: 'sources/a' } }, 'runc'), {
    userId: 'u',
    desiredState: 'Running',
    build: { context: 'sources/a', dockerfile: 'Dockerfile', args: {} },
    image: null,
    publishPort: null,
    runtime: 'runc',
    env: {},
    restartPolicy: 'Always',
    restartedAt: '',
    stopGracePeriodSeconds: 10,
    resources: { memoryBytes: 536_870_912, cpus: 1, pids: 256 },
    readiness: {
      kind: 'http',
      path: '/watcher/status',
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 3,
    },
    liveness: { kind: 'none' },
    progressDeadlineSeconds: 60,
  });
});

test('what is written stays as it is', () => {
  const raw = {
    userId: 'u',
    desiredState: 'Stopped',
    image: 'nginx',
    publishPort: 19005,
    runtime: 'runsc',
    env: { A: '' },
    restartPolicy: 'Never',
    restartedAt: 'x',
    stopGracePeriodSeconds: 0,
    resources: { memory: '1Gi', cpus: 0.5, pids: 2000 },
    readiness: { tcp: true, periodSeconds: 5 },
    liveness: { path: '/live', timeoutSeconds: 1, failureThreshold: 7 },
    progressDeadlineSeconds: 5,
  };
  const timing = { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 };
  assert.deepEqual(resolveSpec(raw, 'runc'), {
    ...raw,
    build: null,
    resources: { memoryBytes: 2 ** 30, cpus: 0.5, pids: 2000 },
    readiness: { kind: 'tcp', ...timing, periodSeconds: 5 },
    liveness: { kind: 'http', path: '/live', ...timing, timeoutSeconds: 1, failureThreshold: 7 },
  });
});

test('a spec that is written out is a valid manifest, and means the same', () => {
  const raws = [
    { userId: 'u', build: { context: 'sources/a' } },
    { userId: 'u', build: { context: 'a', dockerfile: 'D', args: { A: 'b' } }, readiness: { none: true } },
    {
      ...{ userId: 'u', image: 'nginx', desiredState: 'Stopped', publishPort: 19005, runtime: 'runsc' },
      ...{ env: { A: '' }, restartPolicy: 'Never', restartedAt: 'x', stopGracePeriodSeconds: 0 },
      resources: { memory: '10000001', cpus: 0.5, pids: 2000 },
      readiness: { tcp: true, periodSeconds: 5 },
      liveness: { path: '/live', timeoutSeconds: 1 },
      progressDeadlineSeconds: 5,
    },
  ];
  for (const raw of raws) {
    const spec = resolveSpec(raw, 'runc');
    const written = writtenOut(spec);
    const manifest = { apiVersion: 'hersh.dev/v1', kind: 'Program', metadata: { name: 'x' }, spec: written };
    assert.deepEqual(validateManifest(manifest, 'x', { runtime: 'runc' }).problems, []);
    assert.deepEqual(resolveSpec(written, 'runc'), spec);
  }
});

test('the runtime comes from the host, and gVisor gets more processes', () => {
  const spec = resolveSpec({ userId: 'u', image: 'x' }, 'runsc');
  assert.equal(spec.runtime, 'runsc');
  assert.equal(spec.resources.pids, 1024);
  assert.equal(resolveSpec({ userId: 'u', image: 'x', runtime: 'runsc' }, 'runc').resources.pids, 1024);
  assert.equal(resolveSpec({ userId: 'u', image: 'x', runtime: 'runc' }, 'runsc').resources.pids, 256);
});

test('probes: none, the default path, and liveness only where it is asked for', () => {
  const probes = (readiness: object, liveness: object) =>
    resolveSpec({ userId: 'u', readiness, liveness }, 'runc');
  assert.deepEqual(probes({ none: true, periodSeconds: 9 }, {}).readiness, { kind: 'none' });
  assert.equal(probes({}, { failureThreshold: 1 }).liveness.kind, 'http');
});

test('what is resolved shares nothing with the manifest', () => {
  const raw = { userId: 'u', env: { A: '1' }, build: { context: 'a', args: { B: '2' } } };
  const spec = resolveSpec(raw, 'runc');
  spec.env.A = 'changed';
  assert.ok(spec.build !== null);
  spec.build.args.B = 'changed';
  assert.deepEqual(raw, { userId: 'u', env: { A: '1' }, build: { context: 'a', args: { B: '2' } } });
});

test('memory quantities', () => {
  const sizes: [unknown, number | undefined][] = [
    ['512Mi', 2 ** 29],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['1k', 1000],
    ['1M', 1e6],
    ['1G', 1e9],
    ['1Ki', 1024],
    ['1000', 1000],
    ['0.0001k', 0],
    [1e9, 1e9],
    [1.5, undefined],
    [Number.NaN, undefined],
    ['9999999999999Ti', undefined],
    ['1ki', undefined],
    ['1MB', undefined],
    ['1 Mi', undefined],
    ['-1', undefined],
    ['Mi', undefined],
    [null, undefined],
    [true, undefined],
  ];
  for (const [quantity, bytes] of sizes) assert.equal(parseMemory(quantity), bytes, String(quantity));
});

test('one folder has one name', () => {
  for (const [path, want] of [
    ['a/b', 'a/b'],
    ['./a//b/', 'a/b'],
    ['a/./b', 'a/b'],
    ['.', '.'],
    ['./', '.'],
    ['', '.'],
  ] as const)
    assert.equal(normaliseFolder(path), want);
});
