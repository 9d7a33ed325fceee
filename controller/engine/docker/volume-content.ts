import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { AppError } from '../../../schemas/errors.ts';
import type { Engine } from '../engine.ts';
import type { FillVolume } from '../fill-volume.ts';
import { labelsOf, type Owner, type OwnerSource } from '../owner.ts';
import { type Connection, openStream } from './client.ts';
import { absent, diskFull, engineError, failureOf } from './errors.ts';
import { STATE_DIR } from './floor.ts';
import { createHelper, helperLabels, removeHelper, stateFolder } from './state-owner.ts';

/**
 * What is in a volume, as tar, through a container that is never started: the engine's own archive of it needs no
 * program, and knows owners, modes, times and links. Its image is empty, so that none has to be there, and nothing of
 * one gets into the volume.
 */

/**
 * @param sweep to be awaited before the first helper: what a host that died left half done
 * @param believed see `createDockerEngine`
 */
export function createVolumeContent(
  connection: Connection,
  owner: OwnerSource,
  sweep: () => Promise<void>,
  believed: <T>(call: Promise<T>) => Promise<T>,
): Pick<Engine, 'readVolume' | 'fillVolume'> {
  return {
    async readVolume(name, signal) {
      await sweep();
      return believed(readVolume(connection, await owner(), name, signal));
    },
    async fillVolume(request) {
      await sweep();
      return believed(fillVolume(connection, await owner(), request));
    },
  };
}

/** See `Engine.readVolume`. */
async function readVolume(
  connection: Connection,
  owner: Owner,
  volume: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const there = await absent(connection.look.getVolume(volume).inspect(), [404], 'InternalError');
  if (there === undefined) return undefined;
  const helper = await openHelper(connection, owner, volume);
  try {
    const path = `/containers/${helper.container.id}/archive`;
    const body = await openStream(connection.patient, path, { path: `${STATE_DIR}/.` }, signal);
    return closing(body, helper.close);
  } catch (error) {
    await helper.close();
    throw engineError(error, 'InternalError');
  }
}

async function* closing(
  body: AsyncIterable<Uint8Array> & { destroy(): void },
  close: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw engineError(error, 'InternalError');
  } finally {
    body.destroy();
    await close();
  }
}

/** See `Engine.fillVolume`. */
async function fillVolume(
  connection: Connection,
  owner: Owner,
  { volume, labels, content, root }: FillVolume,
): Promise<void> {
  const { quick } = connection;
  const there = await absent(quick.getVolume(volume).inspect(), [404], 'StartFailed');
  if (there !== undefined) throw new AppError('Conflict', `there is a volume ${volume} already`);
  let helper: Helper | undefined;
  try {
    await quick.createVolume({ Name: volume, Labels: { ...labels, ...labelsOf(owner) } });
    helper = await openHelper(connection, owner, volume);
    const { id } = helper.container;
    // As long as it takes: the one who sends it may be slow, or it may be large.
    await connection.patient.getContainer(id).putArchive(Readable.from(content), { path: STATE_DIR });
    const top = root();
    // The folder it is pointed at is not touched by an archive, only what is in it (20.10 to 28.5).
    if (top !== undefined) await helper.container.putArchive(stateFolder(top), { path: '/' });
    await helper.close();
  } catch (error) {
    await helper?.close().catch(() => undefined);
    await quick
      .getVolume(volume)
      .remove()
      .catch(() => undefined);
    throw error instanceof AppError
      ? error
      : (diskFull(failureOf(error).message) ?? engineError(error, 'StartFailed'));
  }
}

interface Helper {
  container: Docker.Container;
  close(): Promise<void>;
}

/** What a host that is killed leaves of it bears the label by which the next one sweeps it away. */
async function openHelper({ quick }: Connection, owner: Owner, volume: string): Promise<Helper> {
  const image = await importEmpty(quick, owner);
  const removeImage = () => absent(quick.getImage(image).remove(), [404, 409], 'InternalError');
  try {
    const mount = {
      ...{ Type: 'volume', Source: volume, Target: STATE_DIR },
      VolumeOptions: { NoCopy: true },
    } as Docker.MountSettings;
    const container = await createHelper(quick, { image, config: { labels: {} }, owner }, [mount]);
    return {
      container,
      async close() {
        await removeHelper(container);
        await removeImage();
      },
    };
  } catch (error) {
    await removeImage().catch(() => undefined);
    throw error;
  }
}

/** An image with nothing in it, of this call alone. Gives its id. */
async function importEmpty(docker: Docker, owner: Owner): Promise<string> {
  const archive = pack();
  archive.finalize();
  const changes = Object.entries(helperLabels(owner)).map(([label, value]) => `LABEL ${label}=${value}`);
  const query = { fromSrc: '-', changes };
  const body = await new Promise<AsyncIterable<Uint8Array>>((resolve, reject) => {
    docker.modem.dial(
      {
        path: '/images/create?',
        method: 'POST',
        options: query,
        file: Readable.from(archive),
        isStream: true,
        statusCodes: { 200: true },
      },
      (error: unknown, answer: unknown) => {
        if (error) reject(error);
        else resolve(answer as AsyncIterable<Uint8Array>);
      },
    );
  });
  let said = '';
  for await (const chunk of body) said += Buffer.from(chunk).toString('utf8');
  const id = /"status":"(sha256:[0-9a-f]{64})"/.exec(said)?.[1];
  if (id === undefined) throw new AppError('InternalError', `the engine made no empty image: ${said.trim()}`);
  return id;
}
