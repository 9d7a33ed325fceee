import type Docker from 'dockerode';
import type { EngineLog } from '../engine.ts';
import { isOfRegistry, type Owner, type OwnerSource } from '../owner.ts';
import { type Connection, STOP_SLACK_MS } from './client.ts';
import { absent, engineError, failureOf, statusOf } from './errors.ts';
import { IMAGE_VOLUME_LABEL } from './hardening.ts';
import { joiners, listHolders, ownerOfRow } from './holders.ts';
import { sweepHelpers } from './state-owner.ts';

/** Kills, removes, and waits until it is gone, whoever removes it. Its image volumes go with it. */
export async function removeContainer({ look, quick }: Connection, id: string): Promise<void> {
  const found = await absent(look.getContainer(id).inspect(), [404], 'StartFailed');
  if (found === undefined) return;
  try {
    await quick.getContainer(id).remove({ v: true, force: true });
  } catch (error) {
    const status = statusOf(error);
    // 409: somebody removes it already.
    if (status !== 404 && status !== 409) throw engineError(error, 'StartFailed');
    const gone = quick.getContainer(found.Id).wait({
      condition: 'removed',
      abortSignal: AbortSignal.timeout(STOP_SLACK_MS),
    });
    if (status === 409) await absent(gone, [404], 'StartFailed');
    else await gone.catch(() => {});
  }
  await removeImageVolumes(quick, found.HostConfig.Mounts ?? []);
}

/** Of a container's mounts, those that stand in for VOLUMEs of its image. */
export function imageVolumes(mounts: readonly Docker.MountSettings[]): Docker.MountSettings[] {
  const isOwn = ({ VolumeOptions: options, Source }: Docker.MountSettings) =>
    options?.Labels?.[IMAGE_VOLUME_LABEL] !== undefined && IMAGE_VOLUME.test(Source);
  return mounts.filter(isOwn);
}

/** Removes the volumes of such mounts, as far as nothing uses them; one that can not be removed keeps no other. */
export async function removeImageVolumes(
  docker: Docker,
  mounts: readonly Docker.MountSettings[],
): Promise<void> {
  const removed = imageVolumes(mounts).map(({ Source }) =>
    absent(docker.getVolume(Source).remove(), [404, 409], 'StartFailed'),
  );
  const failed = (await Promise.allSettled(removed)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

/** Removes, once for all calls, what a host that died left half done. Where that fails, the next call tries again. */
export function createSweep(connection: Connection, owner: OwnerSource, log: EngineLog): () => Promise<void> {
  let swept: Promise<void> | undefined;
  return () => {
    swept ??= owner()
      .then((settled) => sweepLeftovers(connection, settled))
      .catch((error: unknown) => {
        swept = undefined;
        log.warn({ error: failureOf(error).message }, 'leftovers of an earlier host could not be removed');
      });
    return swept;
  };
}

/** As hosts name them: the label is copied by whatever copies a container's mounts. */
const IMAGE_VOLUME = /-image-volume-[0-9a-f]{12}$/;

/** Helpers, and image volumes that no container uses. */
async function sweepLeftovers(connection: Connection, owner: Owner): Promise<void> {
  await sweepHelpers(connection, owner);
  await sweepSandboxes(connection, owner);
  const filters = { label: [`${IMAGE_VOLUME_LABEL}=${owner.instance}`], dangling: ['true'] };
  const { Volumes } = await connection.quick.listVolumes({ filters });
  for (const { Name, Labels } of Volumes ?? []) {
    if (!IMAGE_VOLUME.test(Name) || !isOfRegistry(owner, Labels)) continue;
    await absent(connection.quick.getVolume(Name).remove(), [404, 409], 'StartFailed');
  }
}

/** Programs' that nothing joins: what a program is to join next is made, or taken, with its container. */
async function sweepSandboxes(connection: Connection, owner: Owner): Promise<void> {
  const sandboxes = (await listHolders(connection.look, owner)).filter((one) => ownerOfRow(one) !== '');
  if (sandboxes.length === 0) return;
  const joined = await joiners(connection.look);
  for (const { Id } of sandboxes) if (!joined.has(Id)) await removeContainer(connection, Id);
}
