import type { ContainerSummary } from '../../schemas/container.ts';

/** What the last list of the engine's containers said, and the looks at single programs since. */
export interface ContainersSeen {
  /** Takes a whole list. Gives the programs whose containers came, went or changed state since they were last seen. */
  take(containers: readonly ContainerSummary[]): string[];
  /** Takes what a look at one program found. */
  saw(program: string, containers: readonly ContainerSummary[]): void;
  /** The program of a container, for events that name the container alone. */
  ownerOf(containerId: string): string | undefined;
}

export function createContainersSeen(): ContainersSeen {
  /** A digest for each program. */
  let listed = new Map<string, string>();
  /** Programs by container. */
  let owners = new Map<string, string>();
  return {
    take(containers) {
      const now = new Map<string, string>();
      for (const program of new Set(containers.map((one) => one.program))) {
        now.set(program, digestOf(containers.filter((one) => one.program === program)));
      }
      const before = listed;
      listed = now;
      owners = new Map(containers.map(({ id, program }) => [id, program]));
      const names = new Set([...now.keys(), ...before.keys()]);
      return [...names].filter((name) => (now.get(name) ?? '') !== (before.get(name) ?? ''));
    },
    // A program that was down at the last list, started since and is down again looks unchanged to the lists.
    saw(program, containers) {
      listed.set(program, digestOf(containers));
      for (const { id } of containers) owners.set(id, program);
    },
    ownerOf: (containerId) => owners.get(containerId),
  };
}

/** Equal for equal containers in equal states, in any order. */
function digestOf(containers: readonly ContainerSummary[]): string {
  return containers
    .map(({ id, state }) => `${id}:${state}`)
    .sort()
    .join(' ');
}
