import type Docker from 'dockerode';
import { LABELS } from '../../../schemas/program.ts';
import type { Engine, Volume } from '../engine.ts';
import { isOwn, type Owner, type OwnerSource } from '../owner.ts';
import { type Connection, get } from './client.ts';
import { absent, refused } from './errors.ts';

/** What a Docker engine knows of volumes. */
export function createVolumes(
  { look, quick }: Connection,
  owner: OwnerSource,
): Pick<Engine, 'hasVolume' | 'listVolumes' | 'removeVolume' | 'volumeSizes'> {
  return {
    hasVolume: (name) => hasVolume(look, name),
    listVolumes: async () => listVolumes(look, await owner()),
    removeVolume: (name) => removeVolume(quick, name),
    volumeSizes: () => volumeSizes(quick),
  };
}

async function listVolumes(docker: Docker, owner: Owner): Promise<Volume[]> {
  const filters = { label: [`${LABELS.instance}=${owner.instance}`] };
  const { Volumes } = await refused(docker.listVolumes({ filters }), 'InternalError');
  return (Volumes ?? [])
    .filter(({ Labels }) => isOwn(owner, Labels))
    .map(({ Name, Labels }) => ({ name: Name, labels: Labels ?? {} }));
}

async function hasVolume(docker: Docker, name: string): Promise<boolean> {
  return (await absent(docker.getVolume(name).inspect(), [404], 'InternalError')) !== undefined;
}

/** See `Engine.removeVolume`. */
async function removeVolume(docker: Docker, name: string): Promise<boolean> {
  return (await absent(docker.getVolume(name).remove(), [404], 'StartFailed')) !== undefined;
}

/**
 * See `Engine.volumeSizes`. Volumes alone, where the engine knows how to (API 1.42): beside a build, the rest of this
 * answer is a 404 every third time on the containerd image store (28.5.2).
 */
async function volumeSizes(docker: Docker): Promise<ReadonlyMap<string, number>> {
  const { Volumes } = (await refused(get(docker, '/system/df', { type: 'volume' }), 'InternalError')) as {
    Volumes: { Name: string; UsageData?: { Size: number } | null }[] | null;
  };
  return new Map((Volumes ?? []).map((one) => [one.Name, Math.max(0, one.UsageData?.Size ?? 0)]));
}
