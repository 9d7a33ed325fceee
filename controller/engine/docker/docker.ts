/** The room that knows Docker: the engine port, call by call, over dockerode. */

import { type Clock, systemClock } from '../../../schemas/clock.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { Engine, EngineEvent, EngineLog } from '../engine.ts';
import { buildImage } from './build.ts';
import { createTraceDecoder, type DecodeTrace } from './build-log.ts';
import { connect } from './client.ts';
import {
  inspectContainer,
  listContainers,
  renameContainer,
  stopContainer,
  unpauseContainer,
} from './containers.ts';
import { createContainer } from './create.ts';
import { absent, refused } from './errors.ts';
import { watchEvents } from './events.ts';
import { holdById, listHeldImages, releaseImage } from './held-images.ts';
import { claimImage, createBuiltImages, inspectImage, newImage, removeImage } from './images.ts';
import { info } from './info.ts';
import { readLogs } from './logs.ts';
import { createNetworks } from './network.ts';
import { ping } from './ping.ts';
import { pullImage } from './pull.ts';
import { createSweep, removeContainer } from './remove.ts';
import { startContainer } from './start.ts';
import { placeOf, usageOf } from './usage.ts';
import { createVolumeContent } from './volume-content.ts';
import { createVolumes } from './volumes.ts';

/** What an engine on its way down may have refused for that reason alone. */
const DOUBTFUL: readonly string[] = ['StartFailed', 'PortConflict', 'ImageNotFound', 'InternalError'];

export interface DockerEngineOptions {
  /** `unix:///path` or `tcp://host:port`; by default what DOCKER_HOST says, or the local socket. */
  dockerHost?: string;
  /** Everything the engine makes or lists carries this label. */
  instance: string;
  log: EngineLog;
  clock?: Clock;
}

/** The Docker Engine (API 1.41 and later) behind the port. Connects at the first call. */
export function createDockerEngine(options: DockerEngineOptions): Engine {
  const { instance, log, clock = systemClock } = options;
  const connection = connect(options.dockerHost);
  const { look, quick } = connection;
  const networks = createNetworks(quick, instance);
  const sweep = createSweep(connection, instance, log);
  /** When each container was told to be out of memory, epoch milliseconds. */
  const ooms = new Map<string, number>();
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

    listContainers: (program) => listContainers(look, instance, program),
    inspectContainer: (id) => inspectContainer(look, id, (whole) => ooms.get(whole) ?? 0),
    async createContainer(request) {
      // Before the first container: what a host that died left half done.
      await sweep();
      return believed(createContainer({ connection, networks, instance }, request));
    },
    startContainer: (id) => believed(startContainer(quick, networks, id)),
    stopContainer: (id, graceSeconds) => stopContainer(connection.patient, id, graceSeconds),
    unpauseContainer: (id) => unpauseContainer(connection, id),
    renameContainer: (id, name) => renameContainer(connection, id, name),
    removeContainer: (id) => removeContainer(connection, id),
    logs: (id, logOptions) => readLogs(connection, id, logOptions),

    inspectImage: (reference) => inspectImage(look, reference),
    async build(request, onLog, signal) {
      decode ??= createTraceDecoder();
      const id = await buildImage(connection, decode, request, onLog, signal);
      const built = await absent(look.getImage(id).inspect(), [404], 'InternalError');
      if (built !== undefined) await refused(claimImage(quick, built, instance), 'InternalError');
      return newImage(look, id);
    },
    async pull(reference, onProgress, signal, credentials) {
      await pullImage(connection, reference, onProgress, signal, credentials);
      return newImage(look, reference);
    },
    listBuiltImages: createBuiltImages(quick, instance),
    removeImage: (id) => removeImage(quick, id, instance),
    holdImage: (id) => holdById(quick, id, instance),
    listHeldImages: () => listHeldImages(quick, instance),
    releaseImage: (id) => releaseImage(quick, id, instance),

    ...createVolumes(connection, instance),
    ...createVolumeContent(connection, instance, sweep, believed),
    placeOf: (id) => placeOf(connection, id),
    usageOf: (id) => usageOf(look, id),

    watch: (onEvent, onConnect, onDisconnect) =>
      watchEvents(connection, instance, clock, {
        ...{ onConnect, onDisconnect },
        onEvent(event) {
          noteOom(ooms, event);
          onEvent(event);
        },
      }),
  };
}

function noteOom(ooms: Map<string, number>, { action, containerId, atMs }: EngineEvent): void {
  if (action === 'oom') ooms.set(containerId, atMs);
  if (action === 'destroy') ooms.delete(containerId);
}
