import { environmentOf, PROGRAM_PORT, type ProbeSpec } from '../../../schemas/program.ts';
import { type Exported, imageOf, STATE_DIR } from './exported.ts';

type KubeObject = Record<string, unknown>;

const NAME_LENGTH_MAX = 63;

/**
 * Programs as objects of Kubernetes: a Deployment each (a Job, where it may end), its Service, and the claim of its
 * /state; nothing reaches it but by that port.
 */
export function kubernetesOf(programs: readonly Exported[]): { objects: KubeObject[]; notes: string[] } {
  return { objects: programs.flatMap(objectsOf), notes: programs.flatMap(notesOf) };
}

/** As DNS has names. */
export function kubeName(name: string): string {
  const lower = name.toLowerCase().replace(/[^a-z0-9-]/g, '-');
  return lower.slice(0, NAME_LENGTH_MAX).replace(/-+$/, '');
}

function objectsOf(program: Exported): KubeObject[] {
  const name = kubeName(program.name);
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'hershctl-export' };
  const metadata = { name, labels };
  const selector = { 'app.kubernetes.io/name': name };
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: `${name}-state`, labels },
  };
  const port = { name: 'http', port: PROGRAM_PORT, targetPort: PROGRAM_PORT };
  return [
    { ...claim, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    workload(program, metadata, selector),
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports: [port] } },
    {
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata },
      spec: { podSelector: { matchLabels: selector }, policyTypes: ['Ingress'], ingress: [] },
    },
  ];
}

function workload(
  program: Exported,
  metadata: { name: string; labels: Record<string, string> },
  selector: Record<string, string>,
): KubeObject {
  const { spec } = program;
  const isStopped = spec.desiredState === 'Stopped';
  const template = { metadata: { labels: metadata.labels }, spec: podOf(program, metadata.name) };
  if (spec.restartPolicy !== 'Always')
    return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { suspend: isStopped, template } };
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
    spec: {
      replicas: isStopped ? 0 : 1,
      // One container at a time has /state.
      strategy: { type: 'Recreate' },
      progressDeadlineSeconds: spec.progressDeadlineSeconds,
      revisionHistoryLimit: 10,
      selector: { matchLabels: selector },
      template,
    },
  };
}

function podOf(program: Exported, name: string): KubeObject {
  const { spec } = program;
  return {
    restartPolicy: spec.restartPolicy,
    ...(spec.runtime === 'runsc' && { runtimeClassName: 'gvisor' }),
    terminationGracePeriodSeconds: spec.stopGracePeriodSeconds,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    containers: [containerOf(program, name)],
    volumes: [{ name: 'state', persistentVolumeClaim: { claimName: `${name}-state` } }],
  };
}

function containerOf(program: Exported, name: string): KubeObject {
  const { spec } = program;
  const amount = { memory: String(spec.resources.memoryBytes), cpu: String(spec.resources.cpus) };
  const env = Object.entries(environmentOf(spec, program.name));
  return {
    name,
    image: imageOf(program),
    imagePullPolicy: spec.pullPolicy ?? 'IfNotPresent',
    ...(spec.command && { command: spec.command.map(literal) }),
    ...(spec.args && { args: spec.args.map(literal) }),
    env: env.map(([key, value]) => ({ name: key, value: literal(value) })),
    ports: [{ name: 'http', containerPort: PROGRAM_PORT }],
    resources: { limits: amount, requests: amount },
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
    },
    ...probe('readinessProbe', spec.readiness),
    ...probe('livenessProbe', spec.liveness),
    // Until it has answered once, liveness does not count.
    ...(spec.liveness.kind !== 'none' &&
      probe('startupProbe', startup(spec.liveness, spec.progressDeadlineSeconds))),
    volumeMounts: [{ name: 'state', mountPath: STATE_DIR }],
  };
}

function startup(liveness: ProbeSpec, deadlineSeconds: number): ProbeSpec {
  if (liveness.kind === 'none') return liveness;
  return { ...liveness, failureThreshold: Math.max(1, Math.ceil(deadlineSeconds / liveness.periodSeconds)) };
}

function probe(field: string, spec: ProbeSpec): KubeObject {
  if (spec.kind === 'none') return {};
  const { periodSeconds, timeoutSeconds, failureThreshold } = spec;
  const headers = spec.kind === 'http' ? Object.entries(spec.headers ?? {}) : [];
  const ask =
    spec.kind === 'tcp'
      ? { tcpSocket: { port: PROGRAM_PORT } }
      : {
          httpGet: {
            ...{ path: spec.path, port: PROGRAM_PORT },
            ...(headers.length > 0 && { httpHeaders: headers.map(([name, value]) => ({ name, value })) }),
          },
        };
  return { [field]: { ...ask, periodSeconds, timeoutSeconds, failureThreshold } };
}

/** Kubernetes puts values in for `$(NAME)`; the host does not. */
function literal(text: string): string {
  return text.replaceAll('$(', '$$$$(');
}

function notesOf({ name, spec, buildId }: Exported): string[] {
  const notes: string[] = [];
  const kube = kubeName(name);
  if (kube !== name) notes.push(`${name}: it is called ${kube} there`);
  if (spec.build !== null)
    notes.push(
      `${name}: push hersh/${buildId || name} to a registry that the cluster pulls from, and name it there`,
    );
  if (spec.image?.startsWith('sha256:') === true)
    notes.push(`${name}: its image is named by an id of this machine, which no cluster pulls`);
  if (spec.readiness.kind === 'http' && spec.readiness.expect !== undefined)
    notes.push(`${name}: its probe takes any answer from 200 to 399, not what readiness.expect names`);
  notes.push(
    `${name}: a limit of ${spec.resources.pids} processes is a setting of the kubelet (podPidsLimit)`,
  );
  notes.push(
    `${name}: what it has in ${STATE_DIR} stays here; where the image has a user of its own, set fsGroup to its group`,
  );
  return notes;
}
