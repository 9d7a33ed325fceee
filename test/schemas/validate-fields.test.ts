import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepts, manifest, messages, RUNC, RUNSC, refuses, type Tree } from './validate-fixture.ts';

/** A value of a wrong type for each field, and what is said about it. */
const WRONG: [string, Tree, string][] = [
  ['apiVersion', { ...manifest(), apiVersion: 'v1' }, 'apiVersion must be "hersh.dev/v1"'],
  ['kind', { ...manifest(), kind: 'Deployment' }, 'kind must be "Program"'],
  ['metadata', { ...manifest(), metadata: [] }, 'metadata must be a mapping'],
  ['metadata.name', manifest({}, { name: 7 }), 'metadata.name must be a string; put it in quotes: "7"'],
  ['labels', manifest({}, { labels: ['a'] }), 'metadata.labels must be a mapping'],
  [
    'a label',
    manifest({}, { labels: { on: true } }),
    'metadata.labels.on must be a string; put it in quotes: "true"',
  ],
  ['annotations', manifest({}, { annotations: 'a' }), 'metadata.annotations must be a mapping'],
  [
    'an annotation',
    manifest({}, { annotations: { 'a.b/c': {} } }),
    'metadata.annotations.a.b/c must be a string',
  ],
  ['spec', { ...manifest(), spec: null }, 'spec must be a mapping'],
  ['spec as a list', { ...manifest(), spec: [] }, 'spec must be a mapping'],
  ['userId', manifest({ userId: 12 }), 'spec.userId must be a string; put it in quotes: "12"'],
  [
    'desiredState',
    manifest({ desiredState: 'running' }),
    'spec.desiredState must be one of Running, Stopped',
  ],
  [
    'desiredState null',
    manifest({ desiredState: null }),
    'spec.desiredState must be one of Running, Stopped',
  ],
  ['build', manifest({ build: 'sources/a' }), 'spec.build must be a mapping'],
  [
    'context',
    manifest({ build: { context: 1 } }),
    'spec.build.context must be a string; put it in quotes: "1"',
  ],
  ['context empty', manifest({ build: { context: '' } }), 'spec.build.context must not be empty'],
  [
    'dockerfile',
    manifest({ build: { context: 'a', dockerfile: null } }),
    'spec.build.dockerfile must be a string',
  ],
  ['args', manifest({ build: { context: 'a', args: [] } }), 'spec.build.args must be a mapping'],
  [
    'an arg',
    manifest({ build: { context: 'a', args: { V: 1.5 } } }),
    'spec.build.args.V must be a string; put it in quotes: "1.5"',
  ],
  ['image', manifest({ image: 5 }), 'spec.image must be a string; put it in quotes: "5"'],
  ['image null', manifest({ image: null }), 'spec.image must be a string'],
  [
    'image empty',
    manifest({ image: ' x' }),
    'spec.image must be an image reference such as registry/name:tag, or sha256:<id>',
  ],
  ['publishPort', manifest({ publishPort: '19005' }), 'spec.publishPort must be an integer'],
  ['publishPort float', manifest({ publishPort: 19005.5 }), 'spec.publishPort must be an integer'],
  ['publishPort low', manifest({ publishPort: 19000 }), 'spec.publishPort must be at least 19001'],
  ['publishPort high', manifest({ publishPort: 30000 }), 'spec.publishPort must be at most 29999'],
  ['runtime', manifest({ runtime: 'kata' }), 'spec.runtime must be one of runc, runsc'],
  ['env', manifest({ env: ['A=1'] }), 'spec.env must be a mapping'],
  ['an env', manifest({ env: { PORT: 8080 } }), 'spec.env.PORT must be a string; put it in quotes: "8080"'],
  ['an env null', manifest({ env: { A: null } }), 'spec.env.A must be a string'],
  ['an env NUL', manifest({ env: { A: 'a\0b' } }), 'spec.env.A must not hold a NUL character'],
  [
    'restartPolicy',
    manifest({ restartPolicy: 'Sometimes' }),
    'spec.restartPolicy must be one of Always, OnFailure, Never',
  ],
  [
    'restartedAt',
    manifest({ restartedAt: 2026 }),
    'spec.restartedAt must be a string; put it in quotes: "2026"',
  ],
  [
    'restartedAt long',
    manifest({ restartedAt: 'x'.repeat(65) }),
    'spec.restartedAt is longer than 64 characters',
  ],
  ['grace', manifest({ stopGracePeriodSeconds: '10' }), 'spec.stopGracePeriodSeconds must be an integer'],
  [
    'grace negative',
    manifest({ stopGracePeriodSeconds: -1 }),
    'spec.stopGracePeriodSeconds must be at least 0',
  ],
  ['resources', manifest({ resources: 'much' }), 'spec.resources must be a mapping'],
  [
    'memory',
    manifest({ resources: { memory: true } }),
    'spec.resources.memory must be a string or an integer',
  ],
  ['cpus', manifest({ resources: { cpus: '1' } }), 'spec.resources.cpus must be a number'],
  ['cpus none', manifest({ resources: { cpus: 0 } }), 'spec.resources.cpus must be at least 0.01'],
  ['pids', manifest({ resources: { pids: 1.5 } }), 'spec.resources.pids must be an integer'],
  ['pids none', manifest({ resources: { pids: 0 } }), 'spec.resources.pids must be at least 1'],
  ['readiness', manifest({ readiness: '/' }), 'spec.readiness must be a mapping'],
  ['readiness null', manifest({ readiness: null }), 'spec.readiness must be a mapping'],
  [
    'probe path',
    manifest({ readiness: { path: 'status' } }),
    'spec.readiness.path must start with "/" and hold no spaces or control characters',
  ],
  [
    'probe path space',
    manifest({ readiness: { path: '/a b' } }),
    'spec.readiness.path must start with "/" and hold no spaces or control characters',
  ],
  ['probe tcp', manifest({ readiness: { tcp: false } }), 'spec.readiness.tcp must be true'],
  ['probe none', manifest({ liveness: { none: 'yes' } }), 'spec.liveness.none must be true'],
  [
    'probe period',
    manifest({ liveness: { periodSeconds: 0 } }),
    'spec.liveness.periodSeconds must be at least 0.1',
  ],
  [
    'probe timeout',
    manifest({ liveness: { timeoutSeconds: 61 } }),
    'spec.liveness.timeoutSeconds must be at most 60',
  ],
  [
    'probe threshold',
    manifest({ liveness: { failureThreshold: 1.5 } }),
    'spec.liveness.failureThreshold must be an integer',
  ],
  ['deadline', manifest({ progressDeadlineSeconds: 0 }), 'spec.progressDeadlineSeconds must be at least 1'],
];
for (const [field, value, want] of WRONG) test(`wrong: ${field}`, () => refuses(value, want));

test('build and image exclude each other', () => {
  refuses(
    manifest({ build: { context: 'a' }, image: 'b' }),
    'spec.image and spec.build exclude each other: keep one',
  );
});

test('a probe is of one kind', () => {
  refuses(
    manifest({ readiness: { path: '/', tcp: true } }),
    'spec.readiness takes one of path, tcp and none',
  );
  refuses(manifest({ liveness: { none: true, tcp: true } }), 'spec.liveness takes one of path, tcp and none');
  accepts(manifest({ liveness: {}, readiness: { periodSeconds: 1 } }));
});

test('the name must be that of the file', () => {
  refuses(manifest({}, { name: 'y' }), 'metadata.name is "y" but the file is called x.yaml: make them equal');
});

test('program names', () => {
  for (const name of ['a', '0', 'A.b_c-d', 'a'.repeat(128), 'user-build-abc123def456-0a1b2c3d']) {
    assert.deepEqual(messages(manifest({}, { name }), RUNC, name), [], name);
  }
  for (const name of ['', '-a', '.a', '_a', 'a b', 'a/b', 'ä', 'a\n', 'a'.repeat(129)]) {
    const found = messages(manifest({}, { name }), RUNC, name);
    assert.equal(found.length, 1, name);
    assert.match(found[0] ?? '', /^metadata\.name must start with a letter or digit and hold only/);
  }
});

test('user ids', () => {
  for (const userId of ['a', 'My_user.name-1', '0', 'a'.repeat(63)]) accepts(manifest({ userId }));
  for (const userId of ['', '-a', '.a', '_a', 'a@b', 'a\n', 'a'.repeat(64)]) {
    assert.match(
      messages(manifest({ userId }))[0] ?? '',
      /^spec\.userId must start with a letter or digit/,
      userId,
    );
  }
});

test('reserved and malformed names of env, args and labels', () => {
  refuses(
    manifest({ env: { HERSH_PROGRAM_ID: 'x' } }),
    'spec.env.HERSH_PROGRAM_ID is reserved: names that start with HERSH_ are set by the host',
  );
  accepts(manifest({ env: { HERSH: 'x', MY_HERSH_X: 'y', hersh_x: 'z' } }));
  refuses(
    manifest({}, { labels: { 'dev.hersh.instance': 'x' } }),
    'metadata.labels.dev.hersh.instance is reserved: labels that start with dev.hersh. are set by the host',
  );
  accepts(manifest({}, { labels: { 'dev.hersh': 'x', 'com.example/team': 'y' } }));
  for (const name of ['', '1A', 'A=B', 'A B', 'A\0']) {
    assert.match(messages(manifest({ env: { [name]: 'x' } }))[0] ?? '', /is not a valid name/, name);
    const build = { context: 'a', args: { [name]: 'x' } };
    assert.match(messages(manifest({ build }))[0] ?? '', /is not a valid name/, name);
  }
  assert.match(
    messages(manifest({}, { labels: { '-a': '' } }))[0] ?? '',
    /^metadata\.labels\.-a is not a valid name/,
  );
  // A key that means something to JavaScript is a name like any other.
  const proto = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Tree;
  accepts(manifest({ env: proto }));
  refuses(
    JSON.parse(JSON.stringify(manifest()).replace('"kind"', '"__proto__": {}, "kind"')),
    '__proto__ is not a known field; known are apiVersion, kind, metadata, spec',
  );
});

test('contexts and Dockerfiles stay inside', () => {
  const context = (path: string) => messages(manifest({ build: { context: path } }));
  for (const path of [
    '.',
    './',
    'sources/a',
    './sources//a/',
    'my folder/ä',
    '.github',
    'a/.git',
    'statuses',
    'a/status',
  ]) {
    assert.deepEqual(context(path), [], path);
  }
  const absolute = 'spec.build.context must be relative, so it can not start with "/"';
  const climbs = 'spec.build.context must not climb out with ".."';
  const reserved = 'spec.build.context may be any folder of the registry but .git, status, data';
  assert.deepEqual(context('/etc'), [absolute]);
  for (const path of ['..', '../x', 'a/../..', 'sources/../status'])
    assert.deepEqual(context(path), [climbs], path);
  for (const path of ['.git', './.git/', 'status', 'data/contexts', './/data']) {
    assert.deepEqual(context(path), [reserved], path);
  }
  assert.deepEqual(context('a\\b'), ['spec.build.context must use "/" between folders']);
  assert.deepEqual(context('a\0b'), ['spec.build.context must not hold a NUL character']);
  const file = (dockerfile: string) => messages(manifest({ build: { context: 'a', dockerfile } }));
  assert.deepEqual(file('data/Dockerfile.dev'), []);
  assert.deepEqual(file('../Dockerfile'), ['spec.build.dockerfile must not climb out with ".."']);
  assert.deepEqual(file('/Dockerfile'), [
    'spec.build.dockerfile must be relative, so it can not start with "/"',
  ]);
});

test('images', () => {
  for (const image of ['nginx', 'a/b:c', 'localhost:5000/x@sha256:abc', `sha256:${'a'.repeat(64)}`]) {
    accepts(manifest({ image }));
  }
  for (const image of ['', '-x', 'a b', '--help', 'a\n'])
    assert.equal(messages(manifest({ image })).length > 0, true);
});

test('quantities of memory', () => {
  const memory = (quantity: unknown) => messages(manifest({ resources: { memory: quantity } }));
  const wrong =
    'spec.resources.memory must be bytes, or a number with k, M, G, Ki, Mi or Gi such as 512Mi, and at least 6Mi';
  for (const good of ['6Mi', '512Mi', '1.5Gi', '7M', '6500k', '1G', '8000000', 8_000_000, 1e9, '6144Ki']) {
    assert.deepEqual(memory(good), [], String(good));
  }
  for (const bad of [
    '',
    '512',
    '6M',
    '5Mi',
    '512 Mi',
    '512mi',
    '512MB',
    '-1Gi',
    'much',
    '1e9',
    '.5Gi',
    '1.Gi',
    '0x10Mi',
    512,
    0,
    -1,
  ]) {
    assert.deepEqual(memory(bad), [wrong], String(bad));
  }
  assert.equal(memory(8e6 + 0.5)[0], 'spec.resources.memory must be a string or an integer');
  assert.equal(memory(Number.MAX_SAFE_INTEGER * 2).length, 1, 'not a safe integer');
});

test('gVisor needs room for its own threads, and a host of runsc refuses runc', () => {
  const few =
    "spec.resources.pids must be at least 1024 under runsc, since gVisor's own threads count against it";
  refuses(manifest({ runtime: 'runsc', resources: { pids: 1023 } }), few);
  refuses(manifest({ resources: { pids: 256 } }), few, RUNSC);
  accepts(manifest({ runtime: 'runsc', resources: { pids: 1024 } }));
  accepts(manifest({ runtime: 'runsc' }), RUNSC);
  accepts(manifest(), RUNSC);
  refuses(manifest({ runtime: 'runc' }), 'spec.runtime: this host runs programs under runsc only', RUNSC);
});

test('an entry of env or of build args is measured in bytes, as KEY=value', () => {
  // Linux refuses the start of a program with a longer one (E2BIG, MAX_ARG_STRLEN with the zero at the end).
  const fits = 'x'.repeat(131_071 - 'KEY='.length);
  accepts(manifest({ env: { KEY: fits, OTHER: 'é'.repeat(65_000) } }));
  const [long] = messages(manifest({ env: { KEY: `${fits}x` } }));
  assert.match(long ?? '', /^spec\.env\.KEY is longer than 131071 bytes as KEY=value/);
  const [wide] = messages(manifest({ env: { KEY: 'é'.repeat(65_534) } }));
  assert.match(wide ?? '', /^spec\.env\.KEY is longer/);
  // Of args 32,768 characters are the limit, which are up to 128 KiB.
  const args = (text: string) => manifest({ build: { context: 'sources/x', args: { KEY: text } } });
  accepts(args('€'.repeat(32_768)));
  assert.match(messages(args('🙂'.repeat(32_768)))[0] ?? '', /^spec\.build\.args\.KEY is longer than 131071/);
});
