import type { Clock } from '../../schemas/clock.ts';
import type { ContainerSummary } from '../../schemas/container.ts';

/** What the last list of the engine's containers said, and the looks at single programs since. */
export interface ContainersSeen {
  /**
   * A list is asked for. Gives what takes it when it has come, and gives the programs whose containers came, went or
   * changed state since they were last seen.
   */
  asked(): (containers: readonly ContainerSummary[]) => string[];
  /** Takes what a look at one program found. */
  saw(program: string, containers: readonly ContainerSummary[]): void;
  /** Containers of a program may come or go from now on, or may have. */
  touched(program: string): void;
  /** Whether the last list has none of a program, and nothing has told of one since it was asked for. */
  hasNone(program: string): boolean;
  /** The program of a container, for events that name the container alone. */
  ownerOf(containerId: string): string | undefined;
}

/** An older list says nothing about what there is not: the engine is asked for one every 10 s. */
const LIST_MS_MAX = 20_000;

export function createContainersSeen(clock: Clock): ContainersSeen {
  /** A digest for each program that has any. */
  let listed = new Map<string, string>();
  /** Programs by container. */
  let owners = new Map<string, string>();
  /** Counts lists and what came between them; 0 before the first. */
  let moment = 0;
  /** The moment at which the newest list that has come was asked for, and when; undefined before the first. */
  let last: { at: number; ms: number } | undefined;
  let programs: ReadonlySet<string> = new Set();
  /** When each program was last touched, where that was after the list was asked for. */
  const touches = new Map<string, number>();
  const touched = (program: string) => void touches.set(program, ++moment);

  function take(containers: readonly ContainerSummary[]): string[] {
    const of = new Map<string, ContainerSummary[]>();
    for (const one of containers) {
      const own = of.get(one.program);
      if (own === undefined) of.set(one.program, [one]);
      else own.push(one);
    }
    const before = listed;
    listed = new Map([...of].map(([program, own]) => [program, digestOf(own)]));
    owners = new Map(containers.map(({ id, program }) => [id, program]));
    const names = new Set([...listed.keys(), ...before.keys()]);
    return [...names].filter((name) => listed.get(name) !== before.get(name));
  }

  return {
    touched,
    asked() {
      const [at, ms] = [++moment, clock.monotonic()];
      return (containers) => {
        if (last === undefined || at > last.at) {
          last = { at, ms };
          programs = new Set(containers.map(({ program }) => program));
          for (const [program, when] of touches) if (when < at) touches.delete(program);
        }
        return take(containers);
      };
    },
    // A program that was down at the last list, started since and is down again looks unchanged to the lists.
    saw(program, containers) {
      // Of thousands that have none nothing is kept.
      if (containers.length === 0) return void listed.delete(program);
      touched(program);
      listed.set(program, digestOf(containers));
      for (const { id } of containers) owners.set(id, program);
    },
    hasNone(program) {
      const isFresh = last !== undefined && clock.monotonic() - last.ms < LIST_MS_MAX;
      return isFresh && !programs.has(program) && !touches.has(program);
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
