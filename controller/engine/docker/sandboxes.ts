import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import type { Sandbox } from '../../../schemas/container.ts';
import { LABELS } from '../../../schemas/program.ts';
import type { CreateContainer } from '../engine.ts';
import { isOfRegistry, type Owner, type OwnerSource, sandboxLabelsOf } from '../owner.ts';
import type { Connection } from './client.ts';
import { ensureSandboxImage } from './ensure-sandbox-image.ts';
import { absent, refused, statusOf } from './errors.ts';
import { publishedOn } from './hardening.ts';
import type { Networks } from './network.ts';
import { SANDBOX_IMAGE_LABEL } from './sandbox/image.ts';
import { sandboxOptions } from './sandbox-options.ts';
import { type Holder, holderIn, sandboxOf } from './translate.ts';

/** The network sandboxes of an instance's programs. */
export interface Sandboxes {
  /** See `Engine.listSandboxes`. */
  list(program?: string): Promise<Sandbox[]>;
  /** The id of a whole one of that program for that port, which is made where there is none, and not started. */
  ensure(request: Pick<CreateContainer, 'name' | 'program' | 'publishPort' | 'notIn'>): Promise<string>;
  /** The program of one that has been listed or made; `""` where none is known. */
  ownerOf(id: string): string;
  forget(id: string): void;
}

export function createSandboxes(
  { look, quick }: Connection,
  networks: Networks,
  ownerSource: OwnerSource,
  repository?: string,
): Sandboxes {
  const owners = new Map<string, string>();
  let image: Promise<string> | undefined;

  const list = async (program?: string): Promise<Docker.ContainerInfo[]> => {
    const found = await listHolders(look, await ownerSource(), program);
    for (const { Id, Labels } of found) owners.set(Id, Labels[LABELS.sandboxOf] ?? '');
    return found;
  };

  /** It is not looked for each time: that it is gone a create says. */
  const imageId = (): Promise<string> => {
    image ??= ensureSandboxImage(quick, repository);
    image.catch(() => {
      image = undefined;
    });
    return image;
  };

  const make = async (
    options: (image: string) => Docker.ContainerCreateOptions,
  ): Promise<Docker.Container> => {
    try {
      return await quick.createContainer(options(await imageId()));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      image = undefined;
      return quick.createContainer(options(await imageId()));
    }
  };

  return {
    list: async (program) => (await list(program)).map(sandboxOf),
    ownerOf: (id) => owners.get(id) ?? '',
    forget: (id) => void owners.delete(id),
    async ensure({ name, program, publishPort, notIn = [] }) {
      const mayJoin = (await list(program)).filter(({ Id }) => !notIn.includes(Id));
      const there = mayJoin.find((one) => isWhole(one, publishPort));
      if (there !== undefined) return there.Id;
      const owner = await ownerSource();
      const { options, host } = publishedOn(await networks.pick(), publishPort);
      const { id } = await make((from) => {
        const { HostConfig, ...plain } = sandboxOptions(from);
        return {
          ...{ ...plain, ...options, HostConfig: { ...HostConfig, ...host } },
          // Nobody looks for it by its name.
          name: `${name}-sandbox-${randomBytes(4).toString('hex')}`,
          Labels: { ...sandboxLabelsOf(owner, program), [LABELS.sandboxPort]: String(publishPort) },
        };
      });
      owners.set(id, program);
      return id;
    },
  };
}

/** Rows of the engine's list. */
export async function listHolders(
  docker: Docker,
  owner: Owner,
  program?: string,
): Promise<Docker.ContainerInfo[]> {
  const owned = `${LABELS.sandboxInstance}=${owner.instance}`;
  const label = program === undefined ? [owned] : [owned, `${LABELS.sandboxOf}=${program}`];
  const listed = await refused(docker.listContainers({ all: true, filters: { label } }), 'InternalError');
  return listed.filter(({ Labels }) => isOfRegistry(owner, Labels));
}

/** Whether a container can join it: for that port, on the network that it was made for and on no other. */
function isWhole(
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
  const isOwn =
    its[LABELS.sandboxOf] === labels[LABELS.program] &&
    its[LABELS.sandboxInstance] === labels[LABELS.instance];
  return isOwn ? { id, found } : undefined;
}
