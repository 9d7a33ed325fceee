/** The room that knows Docker: the engine port, call by call, over dockerode. */

import type Docker from 'dockerode';
import { type Clock, systemClock } from '../../../schemas/clock.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { Engine, EngineEvent, EngineLog } from '../engine.ts';
import { createOwnerSource, type OwnerSource, type RegistryIdentity } from '../owner.ts';
import type { DecodeTrace } from './build-log.ts';
import { type Connection, connect } from './client.ts';
import {
  inspectContainer,
  listContainers,
  listLabels,
  renameContainer,
  type Seen,
  stopContainer,
  unpauseContainer,
} from './containers.ts';
import { createContainer } from './create.ts';
import { createHasSandboxes } from './ensure-sandbox-image.ts';
import { absent, refused } from './errors.ts';
import { watchEvents } from './events.ts';
import { execIn } from './exec.ts';
import { holdById, listHeldImages, releaseImage } from './held-images.ts';
import { claimImage, createBuiltImages, inspectImage, newImage, removeImage } from './images.ts';
import { info } from './info.ts';
import { readLogs } from './logs.ts';
import { createSandboxMaker } from './make-sandbox.ts';
import { createNetworks, type Networks } from './network.ts';
import { createOwnAddresses } from './own-address.ts';
import { ping } from './ping.ts';
import { pullImage } from './pull.ts';
import { createSweep, removeContainer } from './remove.ts';
import { createSandboxes, type Sandboxes } from './sandboxes.ts';
import { createSpares, type Spares } from './spares.ts';
import { startContainer } from './start.ts';
import { placeOf, usageOf } from './usage.ts';
import { createVolumeContent } from './volume-content.ts';
import { createVolumes } from './volumes.ts';

/** What an engine on its way down may have refused for that reason alone. */
const DOUBTFUL: readonly string[] = ['StartFailed', 'PortConflict', 'ImageNotFound', 'InternalError'];

export interface DockerEngineOptions {
  /** `unix:///path` or `tcp://host:port`; by default what DOCKER_HOST says, or the local socket. */
  dockerHost?: string;
  /** Everything the engine makes or lists carries this label, and the registry's id. */
  instance: string;
  registry: RegistryIdentity;
  /** Under which the image of network sandboxes is named; by default that of all hosts. */
  sandboxRepository?: string;
  log: EngineLog;
  clock?: Clock;
}

/** The Docker Engine (API 1.41 and later) behind the port. Connects at the first call. */
export function createDockerEngine(options: DockerEngineOptions): Engine {
  const { instance, log, clock = systemClock } = options;
  const connection = connect(options.dockerHost);
  const { look, quick, hasSocket } = connection;
  const owner = createOwnerSource(instance, options.registry, () => listLabels(look, instance));
  const networks = createNetworks(quick, owner);
  const sweep = createSweep(connection, owner, log);
  const { sandboxes, spares } = openSandboxes(connection, networks, owner, options.sandboxRepository);
  const seen: Seen = { ooms: new Map(), joined: new Map(), addressOf: createOwnAddresses(hasSocket) };
  let decode: DecodeTrace | undefined;

  /** Believes a refusal only of an engine that stays. */
  const believed = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof AppError && DOUBTFUL.includes(error.reason)) await ping(connection);
      throw error;
    }
  };

  return {
    ping: (timeoutMs) => ping(connection, timeoutMs),
    info: () => info(look),
    listContainers: async (program) => listContainers(look, await owner(), program),
    inspectContainer: (id) => inspectContainer(look, id, seen),
    async createContainer(request) {
      // Before the first container: what a host that died left half done.
      await sweep();
      return believed(createContainer({ connection, networks, sandboxes, owner: await owner() }, request));
    },
    startContainer: (id) => believed(startContainer(quick, networks, spares.clear, id, seen.joined.get(id))),
    stopContainer: (id, graceSeconds) => stopContainer(connection.patient, id, graceSeconds),
    unpauseContainer: (id) => unpauseContainer(connection, id, seen.joined.get(id)),
    renameContainer: (id, name) => renameContainer(connection, id, name),
    removeContainer: (id) => removeContainer(connection, id),
    ...sandboxCalls(connection, sandboxes, log),
    ...{ listSpares: spares.list, removeSpare: spares.remove },
    makeSpare: (port) => believed(spares.make(port)),
    exec: (id, request) => execIn({ connection, clock, log }, id, request),
    logs: (id, logOptions) => readLogs(connection, id, logOptions),

    inspectImage: (reference) => inspectImage(look, reference),
    async build(request, onLog, signal) {
      // What a build alone needs (gRPC, protobuf) is loaded with the first: every start would wait for it.
      const { buildImage } = await import('./build.ts');
      decode ??= (await import('./build-log.ts')).createTraceDecoder();
      const id = await buildImage(connection, decode, request, onLog, signal);
      const built = await absent(look.getImage(id).inspect(), [404], 'InternalError');
      if (built !== undefined) await refused(claimImage(quick, built, await owner()), 'InternalError');
      return newImage(look, id);
    },
    async pull(reference, onProgress, signal, credentials) {
      await pullImage(connection, reference, onProgress, signal, credentials);
      return newImage(look, reference);
    },
    ...usedImages(quick, owner),
    ...createVolumes(connection, owner),
    ...createVolumeContent(connection, owner, sweep, believed),
    placeOf: (id) => placeOf(connection, id),
    usageOf: (id) => usageOf(look, id),

    watch: (onEvent, onConnect, onDisconnect) =>
      watchEvents(connection, { instance, owner: owner.known }, clock, {
        ...{ onConnect, onDisconnect },
        onEvent: (event) => onEvent(noted(seen, sandboxes, event)),
      }),
  };
}

function openSandboxes(
  connection: Connection,
  networks: Networks,
  owner: OwnerSource,
  repository?: string,
): { sandboxes: Sandboxes; spares: Spares } {
  const make = createSandboxMaker(connection.quick, networks, owner, repository);
  const spares = createSpares(connection, networks, make, owner);
  return { spares, sandboxes: createSandboxes(connection, make, spares, owner) };
}

/** The event with its program, as far as it is known: what is done to a network names the container alone. */
function noted(
  { ooms, joined }: Pick<Seen, 'ooms' | 'joined'>,
  sandboxes: Sandboxes,
  event: EngineEvent,
): EngineEvent {
  const { action, containerId, atMs } = event;
  if (action === 'oom') ooms.set(containerId, atMs);
  if (action === 'destroy') for (const known of [ooms, joined]) known.delete(containerId);
  const program = event.program || sandboxes.ownerOf(containerId);
  if (action === 'destroy') sandboxes.forget(containerId);
  return { ...event, program };
}

type SandboxCalls = Pick<Engine, 'listSandboxes' | 'removeSandbox' | 'hasSandboxes'>;

function sandboxCalls(connection: Connection, { list }: Sandboxes, log: EngineLog): SandboxCalls {
  return {
    listSandboxes: list,
    removeSandbox: (id) => removeContainer(connection, id),
    hasSandboxes: createHasSandboxes(connection.look, log),
  };
}

type UsedImages = 'listBuiltImages' | 'removeImage' | 'holdImage' | 'listHeldImages' | 'releaseImage';

/** Who has a use for which image. */
function usedImages(docker: Docker, owner: OwnerSource): Pick<Engine, UsedImages> {
  return {
    listBuiltImages: createBuiltImages(docker, owner),
    removeImage: async (id) => removeImage(docker, id, await owner()),
    holdImage: async (id) => holdById(docker, id, await owner()),
    listHeldImages: async () => listHeldImages(docker, await owner()),
    releaseImage: async (id) => releaseImage(docker, id, await owner()),
  };
}
