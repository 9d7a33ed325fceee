import type Docker from 'dockerode';
import { LABELS } from '../../../schemas/program.ts';
import { type OwnerSource, sandboxLabelsOf } from '../owner.ts';
import { ensureSandboxImage } from './ensure-sandbox-image.ts';
import { statusOf } from './errors.ts';
import { publishedOn } from './hardening.ts';
import type { Networks } from './network.ts';
import { sandboxOptions } from './sandbox-options.ts';

/**
 * Makes a network sandbox, with its network and its image where they are missing, and starts nothing. Gives its id.
 * @param program `""` of a spare
 */
export type MakeSandbox = (name: string, program: string, publishPort: number) => Promise<string>;

export function createSandboxMaker(
  docker: Docker,
  networks: Networks,
  ownerSource: OwnerSource,
  repository?: string,
): MakeSandbox {
  let image: Promise<string> | undefined;

  /** It is not looked for each time: that it is gone a create says. */
  const imageId = (): Promise<string> => {
    image ??= ensureSandboxImage(docker, repository);
    image.catch(() => {
      image = undefined;
    });
    return image;
  };

  const make = async (
    options: (image: string) => Docker.ContainerCreateOptions,
  ): Promise<Docker.Container> => {
    try {
      return await docker.createContainer(options(await imageId()));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      image = undefined;
      return docker.createContainer(options(await imageId()));
    }
  };

  return async (name, program, publishPort) => {
    const owner = await ownerSource();
    const { options, host } = publishedOn(await networks.pick(), publishPort);
    const { id } = await make((from) => {
      const { HostConfig, ...plain } = sandboxOptions(from);
      return {
        ...{ ...plain, ...options, HostConfig: { ...HostConfig, ...host } },
        name,
        Labels: { ...sandboxLabelsOf(owner, program), [LABELS.sandboxPort]: String(publishPort) },
      };
    });
    return id;
  };
}
