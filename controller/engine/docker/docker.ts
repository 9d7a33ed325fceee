import { type Clock, systemClock } from '../../../schemas/clock.ts';
import { AppError } from '../../../schemas/errors.ts';
import { LABELS } from '../../../schemas/program.ts';
import type { Engine, EngineLog, Image } from '../engine.ts';
import { buildImage } from './build.ts';
import { createTraceDecoder } from './build-log.ts';
import { connect, STOP_SLACK_MS } from './client.ts';
import { createContainer } from './create.ts';
import { absent, engineError, failureOf, isUnavailable, refused, statusOf, unavailable } from './errors.ts';
import { watchEvents } from './events.ts';
import { claimImage, diskUsage, listBuiltImages, removeImage } from './images.ts';
import { readLogs } from './logs.ts';
import { createNetworks } from './network.ts';
import { pullImage } from './pull.ts';
import { removeContainer, sweepLeftovers } from './remove.ts';
import { startContainer } from './start.ts';
import { containerOf, isImageReference, summaryOf } from './translate.ts';

/** How long an engine has to say that it is there. */
const PING_TIMEOUT_MS = 5_000;

/** The types leave out what the call takes. */
interface Pingable {
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>;
}

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
  const { look, quick, patient } = connection;
  const networks = createNetworks(quick, instance);
  const owned = `${LABELS.instance}=${instance}`;
  /** When each container was told to be out of memory, epoch milliseconds. */
  const ooms = new Map<string, number>();
  let decode: ReturnType<typeof createTraceDecoder> | undefined;
  let swept: Promise<void> | undefined;

  /** Once a process, before the first container: what a host that died left half done. */
  const sweep = (): Promise<void> => {
    swept ??= sweepLeftovers(connection, instance).catch((error: unknown) => {
      swept = undefined;
      log.warn({ error: failureOf(error).message }, 'leftovers of an earlier host could not be removed');
    });
    return swept;
  };

  const inspectImage = async (reference: string): Promise<Image | undefined> => {
    if (!isImageReference(reference)) return undefined;
    const found = await absent(look.getImage(reference).inspect(), [400, 404], 'InternalError');
    return found && { id: found.Id, labels: found.Config?.Labels ?? {} };
  };

  const imageNow = async (reference: string): Promise<Image> => {
    const image = await inspectImage(reference);
    if (image === undefined) throw new AppError('ImageNotFound', `${reference} is gone already`);
    return image;
  };

  // On a connection of its own: an engine that goes down takes no new one from the start, while it still answers
  // on the old ones, with failures of every kind, to its very end.
  const ping = async (timeoutMs = PING_TIMEOUT_MS): Promise<void> => {
    const { docker, close } = connection.disposable();
    const abortSignal = AbortSignal.timeout(timeoutMs);
    try {
      await (docker as unknown as Pingable).ping({ abortSignal });
    } catch (error) {
      if (!abortSignal.aborted) throw unavailable(error);
      // Whoever waits for another answer would wait in vain, and hold what others need.
      connection.cut();
      throw unavailable(new Error(`it was silent for ${timeoutMs / 1000} s`));
    } finally {
      close();
    }
  };

  /** Believes a refusal only of an engine that stays. */
  const believed = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof AppError && DOUBTFUL.includes(error.reason)) await ping();
      throw error;
    }
  };

  return {
    ping,

    async info() {
      const info = await refused(look.info(), 'EngineUnavailable');
      const runtimes = Object.keys((info.Runtimes as object | undefined) ?? {}).sort();
      return { id: String(info.ID), version: String(info.ServerVersion), runtimes };
    },

    async listContainers(program) {
      const label = program === undefined ? [owned] : [owned, `${LABELS.program}=${program}`];
      const listed = await refused(look.listContainers({ all: true, filters: { label } }), 'InternalError');
      // Docker gives the newest first, by a clock finer than the seconds it tells.
      return listed.reverse().map(summaryOf);
    },

    async inspectContainer(id) {
      const found = await absent(look.getContainer(id).inspect(), [404], 'InternalError');
      return found && containerOf(found, ooms.get(found.Id) ?? 0);
    },

    async createContainer(request) {
      await sweep();
      return believed(createContainer({ connection, networks, instance, log }, request));
    },

    startContainer: (id) => believed(startContainer(quick, networks, id)),

    async stopContainer(id, graceSeconds) {
      const t = Math.max(0, Math.ceil(graceSeconds));
      const abortSignal = AbortSignal.timeout(t * 1000 + STOP_SLACK_MS);
      await absent(patient.getContainer(id).stop({ t, abortSignal }), [304, 404], 'StartFailed');
    },

    async unpauseContainer(id) {
      try {
        await absent(quick.getContainer(id).unpause(), [304, 404], 'StartFailed');
      } catch (error) {
        if (isUnavailable(error)) throw error;
        const found = await look
          .getContainer(id)
          .inspect()
          .catch(() => undefined);
        if (found?.State.Paused !== false) throw error;
      }
    },

    async renameContainer(id, name) {
      try {
        await quick.getContainer(id).rename({ name });
      } catch (error) {
        if (statusOf(error) === 404) return;
        if (isUnavailable(error)) throw engineError(error, 'StartFailed');
        const found = await look
          .getContainer(id)
          .inspect()
          .catch(() => undefined);
        if (found?.Name !== `/${name}`) throw engineError(error, 'StartFailed');
      }
    },

    removeContainer: (id) => removeContainer(connection, id),

    inspectImage,

    async build(request, onLog, signal) {
      decode ??= createTraceDecoder();
      const id = await buildImage(connection, decode, request, onLog, signal);
      const built = await absent(look.getImage(id).inspect(), [404], 'InternalError');
      if (built !== undefined) await refused(claimImage(quick, built, instance), 'InternalError');
      return imageNow(id);
    },

    async pull(reference, onProgress, signal) {
      await pullImage(connection, reference, onProgress, signal);
      return imageNow(reference);
    },

    logs: (id, logOptions) => readLogs(connection, id, logOptions),

    watch: (onEvent, onConnect, onDisconnect) =>
      watchEvents(connection, instance, clock, {
        onEvent(event) {
          if (event.action === 'oom') ooms.set(event.containerId, event.atMs);
          if (event.action === 'destroy') ooms.delete(event.containerId);
          onEvent(event);
        },
        onConnect,
        onDisconnect,
      }),

    async removeVolume(name) {
      return (await absent(quick.getVolume(name).remove(), [404], 'StartFailed')) !== undefined;
    },

    async listVolumes() {
      const listed = await refused(look.listVolumes({ filters: { label: [owned] } }), 'InternalError');
      return (listed.Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, labels: Labels ?? {} }));
    },

    listBuiltImages: () => listBuiltImages(quick, instance),

    removeImage: (id) => removeImage(quick, id, instance),

    diskUsage: () => diskUsage(quick),
  };
}
