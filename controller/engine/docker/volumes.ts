import type Docker from 'dockerode';
import { LABELS } from '../../../schemas/program.ts';
import type { Volume } from '../engine.ts';
import { absent, refused } from './errors.ts';

export async function listVolumes(docker: Docker, instance: string): Promise<Volume[]> {
  const filters = { label: [`${LABELS.instance}=${instance}`] };
  const { Volumes } = await refused(docker.listVolumes({ filters }), 'InternalError');
  return (Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, labels: Labels ?? {} }));
}

/** See `Engine.removeVolume`. */
export async function removeVolume(docker: Docker, name: string): Promise<boolean> {
  return (await absent(docker.getVolume(name).remove(), [404], 'StartFailed')) !== undefined;
}
