import type Docker from 'dockerode';
import { LABELS } from '../../../schemas/program.ts';
import { isOwn, labelsOf, type Owner, type OwnerSource } from '../owner.ts';
import { statusOf } from './errors.ts';

/** A Linux bridge takes 1,023 ports. */
export const PROGRAMS_PER_NETWORK = 1_000;

const ICC_OPTION = 'com.docker.network.bridge.enable_icc';

export interface Networks {
  /** The name of a network with room for one program more, made if need be. */
  pick(): Promise<string>;
  /** Makes a network anew that was removed while containers still belong to it. */
  restore(name: string): Promise<void>;
}

/**
 * The few bridges all programs of a registry share. Containers on them can not reach each other (`icc` off),
 * while published ports and the way out work. One network a program would be tidier, and fails after about
 * thirty.
 */
export function createNetworks(docker: Docker, ownerOf: OwnerSource): Networks {
  // An estimate that is never too low: it grows with each pick, and is counted anew when it is full.
  let current: { name: string; programs: number } | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** One at a time, so that two programs never make the same network. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work);
    turn = next.catch(() => {});
    return next;
  };

  /** The first of ours with room, or a new one. Counting costs a list of all our containers. */
  const choose = async (): Promise<{ name: string; programs: number }> => {
    const owner = await ownerOf();
    const { instance } = owner;
    const prefix = instance === 'default' ? 'hersh-programs-' : `${instance}-hersh-programs-`;
    const programs = await countPrograms(docker, instance);
    const foreign = new Set<string>();
    const ours = new Set<string>();
    for (const network of await docker.listNetworks()) {
      if (!network.Name.startsWith(prefix)) continue;
      (isOurs(network, owner) ? ours : foreign).add(network.Name);
    }
    for (let n = 1; ; n++) {
      const name = `${prefix}${n}`;
      // Somebody else's network of that name may let containers talk.
      if (foreign.has(name)) continue;
      const count = programs.get(name) ?? 0;
      if (count >= PROGRAMS_PER_NETWORK) continue;
      if (!ours.has(name) && !(await make(docker, owner, name))) continue;
      return { name, programs: count };
    }
  };

  return {
    pick() {
      return inTurn(async () => {
        if (current === undefined || current.programs >= PROGRAMS_PER_NETWORK) current = await choose();
        current.programs += 1;
        return current.name;
      });
    },
    restore(name) {
      return inTurn(async () => {
        await make(docker, await ownerOf(), name);
      });
    },
  };
}

/** How many containers of the instance, running or not, belong to each network. */
async function countPrograms(docker: Docker, instance: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const all = [LABELS.instance, LABELS.sandboxInstance].map((label) =>
    docker.listContainers({ all: true, filters: { label: [`${label}=${instance}`] } }),
  );
  for (const container of (await Promise.all(all)).flat()) {
    for (const name of Object.keys(container.NetworkSettings?.Networks ?? {})) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

/** False where that name is taken by a network that is not ours. */
async function make(docker: Docker, owner: Owner, name: string): Promise<boolean> {
  try {
    await docker.createNetwork({
      Name: name,
      // Without it Docker makes a second network of the same name.
      CheckDuplicate: true,
      Driver: 'bridge',
      Labels: labelsOf(owner),
      Options: { [ICC_OPTION]: 'false' },
    });
    return true;
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
    return isOurs(await docker.getNetwork(name).inspect(), owner);
  }
}

function isOurs(network: Docker.NetworkInspectInfo, owner: Owner): boolean {
  return isOwn(owner, network.Labels) && network.Options?.[ICC_OPTION] === 'false';
}
