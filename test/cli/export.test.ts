import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { fakeView } from '../api/fake-view.ts';
import { cli } from './cli.ts';

const HEAD = (name: string) =>
  `apiVersion: hersh.dev/v1\nkind: Program\nmetadata: {name: ${name}}\nspec:\n  userId: me\n`;
const BUILT = `${HEAD('Web.1')}  build: {context: sources/web, args: {A: "$B"}}
  env: {PRICE: "$5", ON: "yes", AT: "1:30"}
  command: [sh, -c, "exec app $(NAME)"]
  resources: {memory: 256Mi, cpus: 0.5}
  readiness: {path: "/up?a=it's", headers: {Host: a.example}, periodSeconds: 5}
  liveness: {tcp: true}
`;
const NAMED = `${HEAD('job')}  image: busybox\n  restartPolicy: Never\n  runtime: runsc\n  readiness: {none: true}\n`;

async function exporter(t: Parameters<typeof cli>[0]) {
  const { host, ...rest } = await cli(t, [fakeView('Web.1'), fakeView('job', { port: 0 })]);
  host.manifests.set('Web.1', BUILT);
  host.manifests.set('job', NAMED);
  return { host, ...rest };
}

test('as a Compose file a program has the contract that the host gives it', async (t) => {
  const { run } = await exporter(t);
  const { code, out, err } = await run('export', '--to', 'compose', 'Web.1', 'job');
  assert.equal(code, 0);
  // As readers of YAML 1.1 have it.
  const { services, volumes, networks } = parse(out, { version: '1.1' });
  const web = services['Web.1'];
  const quoted = `'http://127.0.0.1:8080/up?a=it'\\''s'`;
  assert.deepEqual(web, {
    image: 'hersh/build-0123456789ab',
    build: { context: './sources/web', dockerfile: 'Dockerfile', args: { A: '$$B' } },
    pull_policy: 'build',
    entrypoint: ['sh', '-c', 'exec app $$(NAME)'],
    environment: { PRICE: '$$5', ON: 'yes', AT: '1:30', HERSH_PROGRAM_ID: 'Web.1' },
    ports: ['127.0.0.1:19005:8080'],
    networks: ['Web.1'],
    volumes: ['Web.1-state:/state'],
    read_only: true,
    tmpfs: ['/dev:ro,dev,nosuid,noexec,size=64k,mode=755'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ipc: 'none',
    init: true,
    mem_limit: 2 ** 28,
    memswap_limit: 2 ** 28,
    cpus: 0.5,
    pids_limit: 256,
    restart: 'always',
    stop_grace_period: '10s',
    healthcheck: {
      test: [
        'CMD-SHELL',
        `wget -q -O /dev/null --header 'Host: a.example' ${quoted} || curl -fsS -o /dev/null -H 'Host: a.example' ${quoted}`,
      ],
      ...{ interval: '5s', timeout: '2s', retries: 3, start_period: '60s' },
    },
    logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
  });
  const { image, ports, runtime, restart, healthcheck, tmpfs, pids_limit } = services.job;
  assert.deepEqual(
    [image, ports, runtime, restart, healthcheck, pids_limit],
    ['busybox', ['127.0.0.1::8080'], 'runsc', 'no', { disable: true }, 1024],
  );
  assert.deepEqual(tmpfs, ['/dev/shm:ro,size=64k', '/tmp:ro,size=64k']);
  assert.deepEqual(Object.keys(volumes), ['Web.1-state', 'job-state']);
  assert.deepEqual(Object.keys(networks), ['Web.1', 'job']);
  assert.match(err, /note: Web.1: its sources are sources\/web of the registry/);
  assert.match(err, /note: Web.1: Compose restarts nothing for its liveness probe/);
});

test('as objects of Kubernetes too', async (t) => {
  const { host, run } = await exporter(t);
  const { code, out, err } = await run('export', '--to=kubernetes', 'Web.1', 'job');
  assert.equal(code, 0);
  const objects = parseAllDocuments(out, { version: '1.1' }).map((one) => one.toJS());
  assert.deepEqual(
    objects.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`),
    [
      ...['v1 PersistentVolumeClaim web-1-state', 'apps/v1 Deployment web-1', 'v1 Service web-1'],
      ...[
        'networking.k8s.io/v1 NetworkPolicy web-1',
        'v1 PersistentVolumeClaim job-state',
        'batch/v1 Job job',
      ],
      ...['v1 Service job', 'networking.k8s.io/v1 NetworkPolicy job'],
    ],
  );
  const { spec } = objects[1];
  assert.deepEqual([spec.replicas, spec.strategy], [1, { type: 'Recreate' }]);
  assert.deepEqual(spec.selector.matchLabels, { 'app.kubernetes.io/name': 'web-1' });
  const pod = spec.template.spec;
  const [container] = pod.containers;
  assert.deepEqual(container.env[0], { name: 'PRICE', value: '$5' });
  assert.deepEqual(container.env[1], { name: 'ON', value: 'yes' });
  assert.deepEqual(container.command, ['sh', '-c', 'exec app $$(NAME)']);
  assert.deepEqual(container.resources.limits, { memory: String(2 ** 28), cpu: '0.5' });
  assert.deepEqual(container.securityContext, {
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    privileged: false,
    capabilities: { drop: ['ALL'] },
  });
  assert.deepEqual(container.readinessProbe.httpGet, {
    path: "/up?a=it's",
    port: 8080,
    httpHeaders: [{ name: 'Host', value: 'a.example' }],
  });
  assert.deepEqual(
    [container.livenessProbe.tcpSocket, container.startupProbe.failureThreshold],
    [{ port: 8080 }, 30],
  );
  assert.deepEqual([pod.automountServiceAccountToken, pod.restartPolicy], [false, 'Always']);
  const job = objects[5].spec.template.spec;
  assert.deepEqual([job.restartPolicy, job.runtimeClassName], ['Never', 'gvisor']);
  assert.match(err, /note: Web.1: it is called web-1 there/);

  assert.equal((await run('export', 'job', '--to', 'nomad')).code, 2);
  assert.equal((await run('export', 'job')).code, 2);
  assert.equal((await run('export', '-q', '--to', 'compose', 'job')).err, '');
  host.manifests.set('job', 'kind: [');
  const broken = await run('export', '--to', 'compose', 'job');
  assert.deepEqual([broken.code, broken.out], [1, '']);
  assert.match(broken.err, /the manifest of job is not valid/);
});
