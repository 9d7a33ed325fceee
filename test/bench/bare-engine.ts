import assert from 'node:assert/strict';
import type Docker from 'dockerode';
import { LABELS, PROGRAM_PORT } from '../../schemas/program.ts';

const PORT_KEY = `${PROGRAM_PORT}/tcp`;

/** What the host has the engine do, done by hand: the floor under every figure of ours. */
export interface BareContainer {
  inspect(): Promise<Docker.ContainerInspectInfo>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** With its volume. */
  remove(): Promise<void>;
}

/** Which of the host's containers to copy, and what has to differ in the copy. */
export interface BareCopy {
  /** Also the value of its program label. */
  name: string;
  instance: string;
  port: number;
  /** Docker's own policy; the host sets none, since it restarts by itself. */
  restart?: 'always';
}

/** Makes a container with a volume of its own in one call, as one would who needs nothing else. */
export async function createBare(
  docker: Docker,
  model: Docker.ContainerInspectInfo,
  copy: BareCopy,
): Promise<BareContainer> {
  const options = bareOptions(model, copy);
  const container = await docker.createContainer(options);
  return {
    inspect: () => container.inspect(),
    async start() {
      await container.start();
    },
    async stop() {
      await container.stop({ t: 10 });
    },
    async remove() {
      await container.remove({ force: true, v: true });
      for (const { Source } of options.HostConfig?.Mounts ?? []) await docker.getVolume(Source).remove();
    },
  };
}

/**
 * The create options behind a container of the host's, as the engine remembers them, with another name, port
 * and volume. Copied, so that no flag the host sets can be missing here and make the floor too low or too high.
 */
export function bareOptions(
  { Config: config, HostConfig: host, Image: image }: Docker.ContainerInspectInfo,
  { name, instance, port, restart }: BareCopy,
): Docker.ContainerCreateOptions {
  return {
    name,
    Image: image,
    Env: config.Env,
    Labels: { ...config.Labels, [LABELS.instance]: instance, [LABELS.program]: name },
    Tty: config.Tty,
    OpenStdin: config.OpenStdin,
    AttachStdout: config.AttachStdout,
    AttachStderr: config.AttachStderr,
    ExposedPorts: config.ExposedPorts,
    ...(config.Healthcheck === undefined ? {} : { Healthcheck: config.Healthcheck }),
    HostConfig: {
      ...host,
      ...(restart === undefined ? {} : { RestartPolicy: { Name: restart } }),
      PortBindings: { [PORT_KEY]: [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
      Mounts: (host.Mounts ?? []).map((mount, index) => ({ ...mount, Source: `${name}-volume-${index}` })),
    },
    NetworkingConfig: { EndpointsConfig: { [host.NetworkMode ?? 'bridge']: {} } },
  };
}

/** Throws where two containers differ in more than a copy may: then the floor would not be the floor. */
export function assertSameFlags(ours: Docker.ContainerInspectInfo, bare: Docker.ContainerInspectInfo): void {
  assert.deepEqual(flagsOf(bare), flagsOf(ours), 'the bare container is not made like the one of the host');
}

function flagsOf({ Config: config, HostConfig: host, Image }: Docker.ContainerInspectInfo): object {
  const ports = Object.values(host.PortBindings as Record<string, { HostIp?: string }[]>);
  return {
    Image,
    config: { ...config, Labels: Object.keys(config.Labels).sort(), Hostname: '' },
    host: {
      ...host,
      PortBindings: ports.map((bindings) => bindings.map(({ HostIp }) => HostIp)),
      Mounts: (host.Mounts ?? []).map((mount) => ({ ...mount, Source: '' })),
    },
  };
}
