import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { validateManifest } from '../../schemas/validate.ts';
import { accepts, manifest, messages, RUNC, RUNSC, refuses, type Tree } from './validate-fixture.ts';

function without(tree: Tree, field: string): Tree {
  const { [field]: _, ...rest } = tree;
  return rest;
}

test('the smallest manifests are valid, and come back as written', () => {
  const { program } = validateManifest(
    manifest({ image: 'nginx' }, { labels: { team: 'a' }, annotations: { note: 'n' } }),
    'x',
    RUNC,
  );
  assert.deepEqual(program, {
    name: 'x',
    labels: { team: 'a' },
    annotations: { note: 'n' },
    rawSpec: { userId: 'u', image: 'nginx' },
  });
  accepts(manifest({ build: { context: 'sources/a' } }));
  accepts(manifest({ build: { context: '.' } }));
});

test('every field of the contract at once is valid', () => {
  accepts(
    manifest({
      desiredState: 'Stopped',
      build: { context: 'sources/b', dockerfile: 'docker/Dockerfile', args: { A: '1' } },
      publishPort: 19005,
      runtime: 'runc',
      env: { KEY: 'value', _a: '', 'with.dot-dash': 'x' },
      restartPolicy: 'OnFailure',
      restartedAt: '2026-11-22T10:00:00.000Z',
      stopGracePeriodSeconds: 0,
      resources: { memory: '1.5Gi', cpus: 0.5, pids: 1 },
      readiness: { path: '/', periodSeconds: 0.5, timeoutSeconds: 1, failureThreshold: 1 },
      liveness: { tcp: true },
      progressDeadlineSeconds: 1,
    }),
  );
});

test('what is no mapping is refused in words', () => {
  for (const value of [null, undefined, 'x', 7, true, [], [manifest()]]) {
    refuses(value, 'the file must hold one Program: a mapping with apiVersion, kind, metadata and spec');
  }
});

const MISSING: [string, Tree, string][] = [
  ['apiVersion', without(manifest(), 'apiVersion'), 'apiVersion is required'],
  ['kind', without(manifest(), 'kind'), 'kind is required'],
  ['metadata', without(manifest(), 'metadata'), 'metadata is required'],
  ['metadata.name', { ...manifest(), metadata: {} }, 'metadata.name is required'],
  ['spec', without(manifest(), 'spec'), 'spec is required'],
  ['spec.userId', { ...manifest(), spec: { image: 'x' } }, 'spec.userId is required'],
  ['spec.build.context', manifest({ build: {} }), 'spec.build.context is required'],
  [
    'build and image',
    { ...manifest(), spec: { userId: 'u' } },
    'spec.build or spec.image is required: what should run?',
  ],
];
for (const [field, value, want] of MISSING) test(`missing: ${field}`, () => refuses(value, want));

const UNKNOWN: [Tree, string][] = [
  [manifest({ publishport: 19005 }), 'spec.publishport is not a known field; did you mean publishPort?'],
  [manifest({ readinessProbe: {} }), 'spec.readinessProbe is not a known field; did you mean readiness?'],
  [manifest({ port: 1 }), 'spec.port is not a known field; did you mean publishPort?'],
  [manifest({ restart: 'Always' }), 'spec.restart is not a known field; did you mean restartPolicy?'],
  [manifest({ replicas: 2 }), 'spec.replicas is not a known field; known are userId, desiredState,'],
  [manifest({}, { label: {} }), 'metadata.label is not a known field; did you mean labels?'],
  [manifest({}, {}, { sepc: {} }), 'sepc is not a known field; did you mean spec?'],
  [
    manifest({ build: { context: 'a', dockerFile: 'D' } }),
    'spec.build.dockerFile is not a known field; did you mean dockerfile?',
  ],
  [manifest({ resources: { cpu: 1 } }), 'spec.resources.cpu is not a known field; did you mean cpus?'],
  [
    manifest({ readiness: { initialDelaySeconds: 1 } }),
    'spec.readiness.initialDelaySeconds is not a known field; known are',
  ],
  [
    manifest({ liveness: { periodSecond: 1 } }),
    'spec.liveness.periodSecond is not a known field; did you mean periodSeconds?',
  ],
  [
    manifest({}, {}, { status: { state: 'Ready' } }),
    'status does not belong in a manifest: the controller writes it to status/<name>.yaml',
  ],
  [manifest({ status: 1 }), 'spec.status is not a known field; known are'],
];
for (const [value, want] of UNKNOWN) {
  test(`unknown: ${want.slice(0, 40)}`, () => {
    const [message, ...more] = messages(value);
    assert.ok(message?.startsWith(want), message);
    assert.deepEqual(more, []);
  });
}

test('everything wrong is told at once, each thing once, and no more than help', () => {
  const value = manifest({ publishPort: 'x', runtime: 'y', env: { A: 1 } }, { name: 'z' });
  assert.equal(messages(value).length, 4);
  const env = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`K${index}`, index]));
  assert.equal(messages(manifest({ env })).length, 20);
});

test('whatever is given, there is an answer: a program, or problems in words', () => {
  const field = fc.constantFrom(
    ...[
      'apiVersion',
      'kind',
      'metadata',
      'spec',
      'name',
      'labels',
      'userId',
      'build',
      'image',
      'context',
      'env',
    ],
    ...[
      'resources',
      'memory',
      'pids',
      'readiness',
      'tcp',
      'none',
      'path',
      'runtime',
      'status',
      '__proto__',
      'a.b',
    ],
  );
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('hersh.dev/v1', 'Program', 'x', 'runsc', 'Running', ''),
      fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.double()),
      fc.array(tie('node'), { maxLength: 2 }),
      fc.dictionary(field, tie('node'), { maxKeys: 5 }),
    ),
  })).node;
  fc.assert(
    fc.property(tree, fc.constantFrom(RUNC, RUNSC), (value, policy) => {
      const { program, problems } = validateManifest(value, 'x', policy);
      assert.equal(program === undefined, problems.length > 0);
      for (const { message } of problems) assert.ok(!/undefined|\[object|NaN/.test(message), message);
    }),
    { numRuns: 300 },
  );
});
