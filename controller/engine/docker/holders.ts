import type Docker from 'dockerode';
import { LABELS } from '../../../schemas/program.ts';
import { isOfRegistry, type Owner } from '../owner.ts';
import { absent, refused } from './errors.ts';
import { SANDBOX_IMAGE_LABEL } from './sandbox/image.ts';
import { ownerIn } from './spare-names.ts';
import { type Holder, holderIn } from './translate.ts';

/** Network sandboxes as the engine shows them: which there are, which are whole, and what joins which. */

/**
 * Rows of the engine's list.
 * @param program whose label they bear
 * @param more ids of others, which may bear none
 */
export async function listHolders(
  docker: Docker,
  owner: Owner,
  program?: string,
  more: readonly string[] = [],
): Promise<Docker.ContainerInfo[]> {
  const found = await listLabelled(
    docker,
    owner,
    program === undefined ? {} : { [LABELS.sandboxOf]: program },
  );
  const missing = more.filter((id) => !found.some(({ Id }) => Id === id));
  return missing.length === 0 ? found : [...found, ...(await listLabelled(docker, owner, {}, missing))];
}

/** Those that were made as spares on a port, or on any. */
export function listSpareMade(docker: Docker, owner: Owner, port?: number): Promise<Docker.ContainerInfo[]> {
  const on = port === undefined ? {} : { [LABELS.sandboxPort]: String(port) };
  return listLabelled(docker, owner, { [LABELS.sandboxOf]: '', ...on });
}

async function listLabelled(
  docker: Docker,
  owner: Owner,
  labels: Record<string, string>,
  id?: string[],
): Promise<Docker.ContainerInfo[]> {
  const all = { [LABELS.sandboxInstance]: owner.instance, ...labels };
  const label = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  const filters = { label, ...(id && { id }) };
  const listed = await refused(docker.listContainers({ all: true, filters }), 'InternalError');
  return listed.filter(({ Labels }) => isOfRegistry(owner, Labels));
}

/** The programs of what joins one, by its id. */
export async function joiners(docker: Docker): Promise<Map<string, string>> {
  const filters = { label: [LABELS.sandboxPort] };
  const all = await refused(docker.listContainers({ all: true, filters }), 'InternalError');
  return new Map(
    all.map((one) => [holderIn(one.HostConfig.NetworkMode, one.Labels), one.Labels[LABELS.program] ?? '']),
  );
}

/** Whether a container can join it: for that port, on the network that it was made for and on no other. */
export function isWhole(
  { State, Labels, HostConfig, NetworkSettings }: Docker.ContainerInfo,
  port: number,
): boolean {
  const networks = Object.keys(NetworkSettings?.Networks ?? {});
  return (
    !['removing', 'dead'].includes(State) &&
    Labels[LABELS.sandboxPort] === String(port) &&
    // Of its image, so that what bears copied labels is none.
    Labels[SANDBOX_IMAGE_LABEL] !== undefined &&
    networks.length === 1 &&
    networks[0] === HostConfig.NetworkMode
  );
}

/** By its labels and its name; see `ownerIn`. */
export const ownerOfRow = ({ Labels, Names }: Docker.ContainerInfo): string | undefined =>
  ownerIn(Labels, Names?.[0] ?? '');

/** What a container joins, where that is a sandbox of its own program, or was. */
export async function holderOf(
  docker: Docker,
  { HostConfig, Config: { Labels: labels } }: Docker.ContainerInspectInfo,
): Promise<Holder | undefined> {
  const id = holderIn(HostConfig.NetworkMode, labels);
  if (id === '') return undefined;
  const found = await absent(docker.getContainer(id).inspect(), [404], 'InternalError');
  if (found === undefined) return { id };
  const its = found.Config.Labels ?? {};
  const program = labels[LABELS.program];
  const isOwn =
    its[LABELS.sandboxOf] !== undefined &&
    (ownerIn(its, found.Name) ?? program) === program &&
    its[LABELS.sandboxInstance] === labels[LABELS.instance];
  return isOwn ? { id, found } : undefined;
}
