import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { claimTag } from '../../controller/engine/docker/images-of-people.ts';
import { ownerIn } from '../../controller/engine/docker/spare-names.ts';
import { claimants } from '../../controller/engine/owner.ts';
import { readRegistryId } from '../../registry/records/registry-id.ts';
import { LABELS } from '../../schemas/program.ts';
import { BASES } from './base-images.ts';
import { QUICKSTART_USER } from './deploy-example.ts';
import { HostClient } from './host-client.ts';
import { startHost, whoAnswers } from './host-process.ts';
import type { HostSettings } from './host-settings.ts';
import { type Say, SetupError } from './say.ts';

const GONE_MS_MAX = 30_000;
/** How every program id of ours begins; what follows is the build id. */
const OUR_PROGRAM = new RegExp(`^${QUICKSTART_USER}-(build-[0-9a-f]{12})-`);

/**
 * Removes the programs of user quickstart and what they left in the engine, and says what. Other programs, and
 * whatever does not carry this instance's labels, stay. Doing it twice does no harm.
 */
export async function quickstartDown(say: Say, settings: HostSettings): Promise<void> {
  const docker = new Docker();
  await docker.ping().catch((error: Error) => {
    throw new SetupError(`No container engine answers, so nothing can be removed from it: ${error.message}`);
  });

  const occupant = await whoAnswers(settings);
  if (occupant === 'other-host' || occupant === 'stranger') {
    throw new SetupError(`Port ${settings.port} is taken by something else: stop it, and try again.`);
  }
  // Programs are deleted through the host, so that its files and the engine tell the same story afterwards.
  const host = occupant === 'nobody' ? await startHost(say, settings) : undefined;
  try {
    await deletePrograms(say, docker, settings);
  } finally {
    await host?.stop();
  }
  const builds = await removeLeftovers(say, docker, settings);
  await removeImages(say, docker, settings, builds);
  removeSources(say, settings, builds);
  if (host) await removeNetworks(say, docker, settings);
  else say('The host goes on running, and keeps its networks');
  say('Done. Kept: the engine, its build cache (docker builder prune) and official images (docker rmi)');
}

async function deletePrograms(say: Say, docker: Docker, settings: HostSettings): Promise<void> {
  const client = new HostClient(settings.url);
  const path = `/programs?user_id=${QUICKSTART_USER}`;
  const { programs } = await client.json<{ programs: { program_id: string }[] }>('GET', path);
  for (const { program_id: id } of programs) {
    await client.json('DELETE', `/programs/${id}`);
    say(`Removed program ${id}`);
  }
  for (const deadline = Date.now() + GONE_MS_MAX; Date.now() < deadline; await sleep(200)) {
    if ((await ourContainers(docker, settings)).length === 0) return;
  }
}

async function ourContainers(docker: Docker, settings: HostSettings): Promise<Docker.ContainerInfo[]> {
  const all = await docker.listContainers({ all: true, filters: instanceFilter(settings) });
  return all.filter((container) => OUR_PROGRAM.test(container.Labels[LABELS.program] ?? ''));
}

/** Volumes, which outlive their programs for a while, and containers of programs that the host did not know. */
async function removeLeftovers(say: Say, docker: Docker, settings: HostSettings): Promise<Set<string>> {
  const builds = new Set<string>(sourcesOf(settings));
  const note = (program: string | undefined) => {
    const build = OUR_PROGRAM.exec(program ?? '')?.[1];
    if (build) builds.add(build);
    return build !== undefined;
  };
  for (const container of await ourContainers(docker, settings)) {
    note(container.Labels[LABELS.program]);
    await docker.getContainer(container.Id).remove({ force: true, v: true }).catch(unlessGone);
    say(`Removed container ${container.Names[0]?.slice(1) ?? container.Id}`);
  }
  // What holds their networks, where the host was started with --sandbox on.
  const filters = { label: [`${LABELS.sandboxInstance}=${settings.instance}`] };
  for (const { Id, Labels, Names } of await docker.listContainers({ all: true, filters })) {
    const program = ownerIn(Labels, Names[0] ?? '');
    if (program === '' || note(program))
      await docker.getContainer(Id).remove({ force: true }).catch(unlessGone);
  }
  const { Volumes: volumes } = await docker.listVolumes({
    filters: JSON.stringify(instanceFilter(settings)),
  });
  for (const volume of volumes ?? []) {
    if (!note(volume.Labels?.[LABELS.program])) continue;
    await docker.getVolume(volume.Name).remove().catch(unlessGone);
    say(`Removed volume ${volume.Name}`);
  }
  return builds;
}

async function removeImages(
  say: Say,
  docker: Docker,
  settings: HostSettings,
  builds: ReadonlySet<string>,
): Promise<void> {
  // First the tag by which this host says that it has a use for the image; another host's keeps it.
  const id = (await readRegistryId(settings.registry)) ?? '';
  const claims = Object.values(claimants({ instance: settings.instance, registry: id, path: '' }));
  const programs = [...builds].flatMap((build) => {
    const image = `hersh/${build}`;
    return [...claims.map((one) => claimTag(image, one)), image];
  });
  // Debian last: the others are made of it.
  const bases = [BASES.node.own, BASES.go.own, BASES.debian.own];
  for (const tag of [...programs, ...bases]) {
    try {
      if (await isClaimed(docker, tag)) {
        say(`Kept image ${tag}: another host has a use for it`);
        continue;
      }
      await docker.getImage(tag).remove();
      say(`Removed image ${tag}`);
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      if (statusCode === 409) say(`Kept image ${tag}: something else uses it`);
      else if (statusCode !== 404) throw error;
    }
  }
}

/** Whether it is the plain tag of an image that a host, this one no more, has put a tag of its own on. */
async function isClaimed(docker: Docker, tag: string): Promise<boolean> {
  if (tag.includes(':')) return false;
  const claim = claimTag(tag, '');
  const { RepoTags: tags } = await docker.getImage(tag).inspect();
  return tags.some((one) => one.startsWith(claim));
}

/** The build ids whose sources are in the registry and that only quickstart's programs ever named. */
function sourcesOf(settings: HostSettings): string[] {
  const trash = join(settings.registry, 'data', 'trash');
  const names = [...list(trash), ...list(join(settings.registry, 'programs'))];
  return names.flatMap((name) => OUR_PROGRAM.exec(name)?.[1] ?? []);
}

function removeSources(say: Say, settings: HostSettings, builds: ReadonlySet<string>): void {
  const programs = join(settings.registry, 'programs');
  const wanted = list(programs)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(programs, name), 'utf8'))
    .join('\n');
  for (const build of list(join(settings.registry, 'sources'))) {
    if (!builds.has(build) || wanted.includes(build)) continue;
    rmSync(join(settings.registry, 'sources', build), { recursive: true, force: true });
    say(`Removed sources/${build}`);
  }
}

async function removeNetworks(say: Say, docker: Docker, settings: HostSettings): Promise<void> {
  for (const network of await docker.listNetworks({ filters: instanceFilter(settings) })) {
    try {
      await docker.getNetwork(network.Id).remove();
      say(`Removed network ${network.Name}`);
    } catch (error) {
      // 403 and 409: other programs of this host are on it.
      const { statusCode } = error as { statusCode?: number };
      if (statusCode === 403 || statusCode === 409)
        say(`Kept network ${network.Name}: other programs use it`);
      else unlessGone(error);
    }
  }
}

function instanceFilter(settings: HostSettings): { label: string[] } {
  return { label: [`${LABELS.instance}=${settings.instance}`] };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function unlessGone(error: unknown): void {
  if ((error as { statusCode?: number }).statusCode !== 404) throw error;
}
