import type Docker from 'dockerode';

/** Takes off the tags by which hosts held images, whoever's those are: hosts of instances whose names begin so. */
export async function removeHolds(docker: Docker, instances: Iterable<string>): Promise<void> {
  const begins = [...instances];
  const isHold = (tag: string) => {
    const instance = /^hersh\/image-[0-9a-f]{64}:for-(.+)$/.exec(tag)?.[1];
    return begins.some((begin) => instance?.startsWith(begin));
  };
  for (const { RepoTags } of await docker.listImages())
    for (const tag of (RepoTags ?? []).filter(isHold)) await docker.getImage(tag).remove();
}
